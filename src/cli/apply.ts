/** `drover apply <path…>`: documents, folders with `bot.yaml` and code, or folders of such. */
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { DroverError, toDroverError } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import { printable } from '../domain/transition-line.ts';
import type { ApiClient } from './api-client.ts';
import type { Io } from './io.ts';
import { requireEntrypoints } from './pack/require-entrypoints.ts';
import { leftOutLine, readFolder, withPacked } from './pack-folder.ts';
import { readDocumentFile } from './read-file.ts';
import { whileUploading } from './while-uploading.ts';

type Json = Record<string, unknown>;

const DOCUMENT = /^bot\.(ya?ml|json)$/;
const wrong = (message: string, cause?: unknown): DroverError =>
  new DroverError('DOCUMENT_INVALID', message, { cause });

/** Uploads the folder's code under its digest, unless the document says where its code is. */
const withCode = async (client: ApiClient, document: Json, folder: string, io: Io): Promise<Json> => {
  const custom = isObject(document['custom']) ? document['custom'] : {};
  if (typeof custom['filePath'] === 'string' && custom['filePath'] !== '') return document;
  const walked = await readFolder(folder);
  await requireEntrypoints(document, walked);
  const filePath = await withPacked(folder, walked, async ({ file, bytes, digest }) => {
    const place = `local/${encodeURIComponent(String(document['id']))}/${digest}`;
    const url = `/v1/archives/${place.split('/').map(encodeURIComponent).join('/')}`;
    await whileUploading(io, bytes, () => client.upload(url, file));
    const line = leftOutLine(walked, bytes);
    if (line !== undefined) io.out(`${String(document['id'])}: ${line}`);
    return place;
  });
  return { ...document, custom: { ...custom, filePath } };
};

/** It says so in its config, or in that of its code (contract §2.1). */
const isScheduled = (document: Json): boolean => {
  const { config, custom } = document;
  const inner = isObject(custom) && isObject(custom['config']) ? custom['config']['type'] : undefined;
  const type = isObject(config) ? config['type'] : undefined;
  return inner === 'scheduled' || (typeof type === 'string' && type.startsWith('scheduled/'));
};

const saysEnabled = ({ enabled, config }: Json): boolean =>
  (enabled ?? undefined) !== undefined || (isObject(config) && (config['enabled'] ?? undefined) !== undefined);

/** Somebody disabled it, and a document that does not speak of that must not start it again. */
const isDisabled = (client: ApiClient, path: string): Promise<boolean> =>
  client.call<{ enabled: boolean | null }>('GET', path).then(
    ({ enabled }) => enabled === false,
    (error: unknown) => {
      if (error instanceof DroverError && error.code === 'BOT_NOT_FOUND') return false;
      throw error;
    },
  );

const applyOne = async (client: ApiClient, file: string, folder: string | undefined, io: Io): Promise<void> => {
  const document = await readDocumentFile(file);
  const whole = folder === undefined ? document : await withCode(client, document, folder, io);
  const id = String(whole['id']);
  const place = isScheduled(whole) ? 'schedules' : 'bots';
  const path = `/v1/${place}/${encodeURIComponent(id)}`;
  const staysDisabled = !saysEnabled(whole) && (await isDisabled(client, path));
  const desired = staysDisabled ? { ...whole, config: { ...(whole['config'] as Json), enabled: false } } : whole;
  const answer = await client.call<{
    readonly changed: boolean;
    readonly next?: readonly string[];
    readonly notices?: readonly string[];
  }>('PUT', path, desired);
  const { changed, next, notices = [] } = answer;
  const first = next?.[0] === undefined ? '' : `, next at ${next[0]}`;
  io.out(`${id} ${changed ? 'applied' : 'unchanged'}${staysDisabled ? ', still disabled' : first}`);
  for (const notice of notices) io.out(`  ${notice}`);
};

/** A document to apply, and the folder of its code. */
interface Found {
  readonly file: string;
  readonly folder: string | undefined;
  /** Why there is none. */
  readonly fault?: DroverError;
}

/** A link counts as what it leads to. */
const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

const documentIn = async (folder: string, entries: readonly Dirent[]): Promise<string | undefined> => {
  const named = entries.filter(({ name }) => DOCUMENT.test(name)).map(({ name }) => join(folder, name));
  for (const path of named) if (await isFile(path)) return path;
  if (named[0] !== undefined) throw wrong(`${named[0]} is no file and leads to none`);
  return undefined;
};

const readFound = async (path: string): Promise<readonly Found[]> => {
  const info = await stat(path).catch((error: unknown) => {
    throw wrong(
      `there is nothing at ${path}; give a document, a folder with bot.yaml, or a folder of such folders`,
      error,
    );
  });
  if (!info.isDirectory()) {
    return [{ file: path, folder: DOCUMENT.test(basename(path)) ? join(path, '..') : undefined }];
  }
  const entries = await readdir(path, { withFileTypes: true });
  const document = await documentIn(path, entries);
  if (document !== undefined) return [{ file: document, folder: path }];
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  if (folders.length === 0) throw wrong(`there is no bot.yaml in ${path}`);
  const found: Found[] = [];
  for (const folder of folders) found.push(...(await documentsAt(join(path, folder.name))));
  return found;
};

/** All documents below a path; where there is none, that is one that is refused. */
const documentsAt = (path: string): Promise<readonly Found[]> =>
  readFound(path).catch((thrown: unknown) => [{ file: path, folder: undefined, fault: toDroverError(thrown) }]);

/** What was refused is said with its file, and the others go on. Alone it is the error itself. */
const applyAll = async (client: ApiClient, found: readonly Found[], io: Io): Promise<void> => {
  let refused = 0;
  for (const { file, folder, fault } of found) {
    try {
      if (fault !== undefined) throw fault;
      await applyOne(client, file, folder, io);
    } catch (thrown) {
      const error = toDroverError(thrown);
      const message = error.message.includes(file) ? error.message : `${file}: ${error.message}`;
      // Nobody answers any of the others, either.
      if (found.length === 1 || error.code === 'API_UNREACHABLE') {
        throw new DroverError(error.code, message, { cause: thrown });
      }
      refused += 1;
      io.out(printable(`refused: ${message} [${error.code}]`));
    }
  }
  if (refused > 0) {
    throw new DroverError('APPLY_INCOMPLETE', `${String(refused)} of ${String(found.length)} documents were refused`);
  }
};

export const addApply = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('apply')
    .description('create or update bots from documents and folders; a disabled bot stays disabled')
    .argument('<path...>', 'a document, a folder with bot.yaml and code, or a folder of such folders')
    .action(async (paths: string[]) => {
      const found: Found[] = [];
      for (const path of paths) found.push(...(await documentsAt(path)));
      await applyAll(client(), found, io);
    });
};
