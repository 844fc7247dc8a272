/** The state of a bot in a folder: `<root>/state/…`, each file replaced as a whole and durable when it is said to be stored. */
import { randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { archiveKeySteps } from '../../domain/archive-key.ts';
import { DroverError } from '../../domain/errors.ts';
import { parseSnapshot, snapshotText, type SnapshotId } from '../../domain/sync-report.ts';
import type { OpenArchive } from '../../ports/archive-store.ts';
import { compareSnapshots, snapshotOfManifest, STATE_NAMES, type StateArchives } from '../../ports/state-archives.ts';
import { errnoOf } from './archive-folder.ts';
import { syncFolder } from './sync-folder.ts';

/** Which file we made of which snapshot. Two are kept: the new one is noted before it takes its place. */
interface Mark {
  readonly file: string;
  readonly snapshot: string;
}

const INCOMING = '.incoming';
const MARKS = 'state.tar.gz.marks';

const identityOf = async (path: string): Promise<string> => {
  const { ino, size, mtimeMs } = await stat(path);
  return `${String(ino)}/${String(size)}/${String(mtimeMs)}`;
};

/** `root`: where this bot's part of the store is mounted. */
export const createFolderStateArchives = (root: string, botId: string): StateArchives => {
  // The mount is this bot's alone; its id is only looked at so that none is taken that no store could hold.
  archiveKeySteps(`${botId}/x`);
  const folder = join(root, 'state');
  const at = (name: string): string => join(folder, ...archiveKeySteps(name));

  const explained = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      if (thrown instanceof DroverError) throw thrown;
      const detail = thrown instanceof Error ? thrown.message : String(thrown);
      throw new DroverError('ARCHIVE_UNAVAILABLE', `state archive ${name}: ${detail}`, { cause: thrown });
    }
  };
  const find = <T>(name: string, look: (path: string) => Promise<T>): Promise<T | undefined> =>
    explained(name, async () => {
      try {
        return await look(at(name));
      } catch (thrown) {
        if (errnoOf(thrown) === 'ENOENT' || errnoOf(thrown) === 'ENOTDIR') return undefined;
        throw thrown;
      }
    });
  const place = async (name: string, fill: (temporary: string) => Promise<void>): Promise<void> => {
    const path = at(name);
    const temporary = join(folder, INCOMING, randomUUID());
    await mkdir(dirname(temporary), { recursive: true });
    await mkdir(dirname(path), { recursive: true });
    try {
      await fill(temporary);
      await rename(temporary, path);
      await syncFolder(dirname(path));
      await syncFolder(folder);
    } finally {
      await rm(temporary, { force: true });
    }
  };
  const writeDurably = async (path: string, content: Readable | string): Promise<void> => {
    const handle = await open(path, 'wx', 0o644);
    try {
      await writeFile(handle, content);
      await handle.sync();
    } finally {
      await handle.close();
    }
  };
  const put = (name: string, content: Readable | string): Promise<void> =>
    explained(name, () => place(name, (temporary) => writeDurably(temporary, content)));
  const openFile = (name: string): Promise<OpenArchive | undefined> =>
    find(name, async (path) => {
      const handle = await open(path, 'r');
      return { size: (await handle.stat()).size, content: handle.createReadStream() };
    });
  const marks = async (): Promise<readonly Mark[]> =>
    JSON.parse((await find(MARKS, (path) => readFile(path, 'utf8'))) ?? '[]') as Mark[];
  const legacy: StateArchives['legacy'] = () =>
    find(STATE_NAMES.legacy, async (path) => {
      const etag = await identityOf(path);
      const snapshot = parseSnapshot((await marks()).find(({ file }) => file === etag)?.snapshot ?? '');
      return { etag, ...(snapshot === undefined ? {} : { snapshot }) };
    });

  return {
    list: () =>
      explained('', async () => {
        // A mount that is not there is an outage, never an empty state.
        await stat(root);
        const names = await readdir(folder, { recursive: true }).catch((thrown: unknown) => {
          if (errnoOf(thrown) === 'ENOENT') return [];
          throw thrown;
        });
        return names
          .map(snapshotOfManifest)
          .filter((id): id is SnapshotId => id !== undefined)
          .sort(compareSnapshots);
      }),
    manifest: (id) => find(STATE_NAMES.manifest(id), (path) => readFile(path, 'utf8')),
    open: (id) => openFile(STATE_NAMES.snapshot(id)),
    sizeOf: (id) => find(STATE_NAMES.snapshot(id), async (path) => (await stat(path)).size),
    put: (id, content) => put(STATE_NAMES.snapshot(id), content),
    putManifest: (id, text) => put(STATE_NAMES.manifest(id), text),
    remove: (id) =>
      explained(snapshotText(id), async () => {
        await rm(at(STATE_NAMES.manifest(id)), { force: true });
        await rm(at(STATE_NAMES.snapshot(id)), { force: true });
      }),
    legacy,
    openLegacy: () => openFile(STATE_NAMES.legacy),
    promote: async (id, accepted) => {
      const there = await legacy();
      if (there !== undefined && there.snapshot === undefined && there.etag !== accepted) return false;
      await explained(STATE_NAMES.legacy, () =>
        place(STATE_NAMES.legacy, async (temporary) => {
          // Shares its blocks where the file system can.
          await copyFile(at(STATE_NAMES.snapshot(id)), temporary, constants.COPYFILE_FICLONE);
          const next: Mark = { file: await identityOf(temporary), snapshot: snapshotText(id) };
          const last = (await marks()).filter(({ file }) => file === there?.etag);
          await put(MARKS, JSON.stringify([...last, next]));
        }),
      );
      return true;
    },
    setLegacyAside: () => explained(STATE_NAMES.legacy, () => rename(at(STATE_NAMES.legacy), at(STATE_NAMES.aside))),
    choice: () => find(STATE_NAMES.choice, (path) => readFile(path, 'utf8')),
    putChoice: (text) => put(STATE_NAMES.choice, text),
    dropChoice: () => explained(STATE_NAMES.choice, () => rm(at(STATE_NAMES.choice), { force: true })),
  };
};
