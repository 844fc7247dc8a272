/** A document file of `drover apply`: what is wrong with it is said with the name of the file and the place in it. */
import { readFile } from 'node:fs/promises';
import { decodeText, EncodingRefused } from '../documents/decode-text.ts';
import { readYaml, YamlRefused } from '../documents/read-yaml.ts';
import { DroverError } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';

/** As large as the API takes one, bytes. */
const MAX_BYTES = 2 * 1_024 * 1_024;

const refused = (message: string, cause?: unknown): DroverError =>
  new DroverError('DOCUMENT_INVALID', message, cause === undefined ? {} : { cause });

const bytesOf = async (file: string): Promise<Buffer> => {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (thrown) {
    const { code = 'unknown error' } = thrown as NodeJS.ErrnoException;
    throw refused(`${file} cannot be read (${code})`, thrown);
  }
  if (bytes.length > MAX_BYTES) throw refused(`${file} is larger than 2 MiB`);
  return bytes;
};

const valueIn = (file: string, bytes: Buffer): unknown => {
  try {
    return readYaml(decodeText(bytes));
  } catch (thrown) {
    if (thrown instanceof EncodingRefused) throw refused(`${file} ${thrown.message}`, thrown);
    if (!(thrown instanceof YamlRefused)) throw thrown;
    const { line, column, message } = thrown;
    const place = line === undefined ? file : `${file}:${String(line)}:${String(column)}`;
    throw refused(`${place}: ${message}`, thrown);
  }
};

/** YAML or JSON, which is YAML as well. @throws DroverError DOCUMENT_INVALID */
export const readDocumentFile = async (file: string): Promise<Record<string, unknown>> => {
  const document = valueIn(file, await bytesOf(file));
  if (document === null) throw refused(`${file} is empty`);
  if (!isObject(document)) throw refused(`${file} must have fields such as \`id\` and \`config\` at its root`);
  const id = document['id'] ?? undefined;
  if (id === undefined) throw refused(`${file} has no \`id\``);
  if (typeof id !== 'string') throw refused(`${file}: /id must be text`);
  return document;
};
