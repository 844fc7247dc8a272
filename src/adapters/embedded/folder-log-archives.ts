/**
 * The log of a bot in a folder: `<root>/logs/<botId>/<YYYYMMDD>.log`. Beside each day's file lies `<day>.log.mark`: how long
 * the file was when the last append was sure, and whether one was under way; what such a one left behind is cut off.
 */
import { appendFile, mkdir, open, readFile, rename, stat, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { archiveKeySteps } from '../../domain/archive-key.ts';
import { DroverError } from '../../domain/errors.ts';
import { logKey, type LogArchives } from '../../ports/log-archives.ts';
import { errnoOf } from './archive-folder.ts';
import { syncFolder } from './sync-folder.ts';

interface Mark {
  readonly stream: string;
  readonly position: number;
  /** Bytes of the day's file. */
  readonly size: number;
  /** What lies beyond `size` is the beginning of an append that was broken off. */
  readonly appending: boolean;
}

const toArchiveError = (thrown: unknown, key: string): DroverError => {
  if (thrown instanceof DroverError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new DroverError('ARCHIVE_UNAVAILABLE', `log archive ${key}: ${detail}`, { cause: thrown });
};

const readMark = async (path: string): Promise<Mark | undefined> => {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Mark;
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
};

const writeMark = async (path: string, mark: Mark): Promise<void> => {
  const handle = await open(`${path}.new`, 'w', 0o644);
  try {
    await handle.writeFile(JSON.stringify(mark));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.new`, path);
  await syncFolder(dirname(path));
};

const sizeOf = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT') return 0;
    throw thrown;
  }
};

const endsLine = async (path: string, size: number): Promise<boolean> => {
  if (size === 0) return true;
  const handle = await open(path, 'r');
  try {
    const last = Buffer.alloc(1);
    await handle.read(last, 0, 1, size - 1);
    return last[0] === 10;
  } finally {
    await handle.close();
  }
};

const appendDurably = async (path: string, content: Buffer): Promise<void> => {
  await appendFile(path, content, { mode: 0o644, flush: true });
};

/**
 * `root`: where this bot's part of the store is mounted. `run`: of a run beside another one of its schedule; it has files of
 * its own (`<day>.<run>.log`), because two processes never write one.
 */
export const createFolderLogArchives = (root: string, botId: string, run?: string): LogArchives => {
  const append = async (path: string, { stream, from, to }: Parameters<LogArchives['append']>[1], content: Buffer) => {
    const markPath = `${path}.mark`;
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    const mark = await readMark(markPath);
    if (mark?.appending === true && (await sizeOf(path)) > mark.size) await truncate(path, mark.size);
    if (mark?.stream === stream && mark.position > from) return mark.position;
    // Of another length than marked: somebody else wrote into it. It stays.
    const size = await sizeOf(path);
    await writeMark(markPath, { stream, position: from, size, appending: true });
    if (!(await endsLine(path, size))) await appendDurably(path, Buffer.from('\n'));
    await appendDurably(path, content);
    await writeMark(markPath, { stream, position: to, size: await sizeOf(path), appending: false });
    return to;
  };
  return {
    append: async (day, piece, content) => {
      const key = logKey(botId, run === undefined ? day : `${day}.${run}`);
      try {
        return await append(join(root, ...archiveKeySteps(key)), piece, content);
      } catch (thrown) {
        throw toArchiveError(thrown, key);
      }
    },
  };
};
