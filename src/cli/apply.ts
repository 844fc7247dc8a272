/** `drover apply <path…>`: documents, folders with `bot.yaml` and code, or folders of such. */
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { DroverError } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
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
  const { changed, next } = await client.call<{ changed: boolean; next?: readonly string[] }>('PUT', path, desired);
  const first = next?.[0] === undefined ? '' : `, next at ${next[0]}`;
  io.out(`${id} ${changed ? 'applied' : 'unchanged'}${staysDisabled ? ', still disabled' : first}`);
};

const applyPath = async (client: ApiClient, path: string, io: Io): Promise<void> => {
  const info = await stat(path).catch((error: unknown) => {
    throw wrong(
      `there is nothing at ${path}; give a document, a folder with bot.yaml, or a folder of such folders`,
      error,
    );
  });
  if (!info.isDirectory()) {
    await applyOne(client, path, DOCUMENT.test(basename(path)) ? join(path, '..') : undefined, io);
    return;
  }
  const entries = await readdir(path, { withFileTypes: true });
  const document = entries.find((entry) => entry.isFile() && DOCUMENT.test(entry.name));
  if (document !== undefined) {
    await applyOne(client, join(path, document.name), path, io);
    return;
  }
  const folders = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  if (folders.length === 0) throw wrong(`there is no bot.yaml in ${path}`);
  for (const folder of folders) await applyPath(client, join(path, folder.name), io);
};

export const addApply = (program: Command, io: Io, client: () => ApiClient): void => {
  program
    .command('apply')
    .description('create or update bots from documents and folders; a disabled bot stays disabled')
    .argument('<path...>', 'a document, a folder with bot.yaml and code, or a folder of such folders')
    .action(async (paths: string[]) => {
      for (const path of paths) await applyPath(client(), path, io);
    });
};
