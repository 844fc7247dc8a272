/** The state of a bot in a folder: `<root>/state/…`, each file replaced as a whole and durable when it is said to be stored. */
import { createHash, randomUUID } from 'node:crypto';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { constants, createReadStream } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { archiveKeySteps } from '../../domain/archive-key.ts';
import { DroverError } from '../../domain/errors.ts';
import { parseSnapshot, snapshotText, type SnapshotId } from '../../domain/sync-report.ts';
import type { OpenArchive } from '../../ports/archive-store.ts';
import {
  compareSnapshots,
  snapshotOfManifest,
  STATE_NAMES,
  straysAmong,
  type StateArchives,
} from '../../ports/state-archives.ts';
import { errnoOf } from './archive-folder.ts';
import { syncFolder } from './sync-folder.ts';

/** Which file we made of which snapshot. Two are kept: the new one is noted before it takes its place. */
interface Mark {
  readonly file: string;
  readonly snapshot: string;
}

/** Nobody writes so slowly. */
const BROKEN_MS = 3_600_000;
const INCOMING = '.incoming';
const MARKS = 'state.tar.gz.marks';

const identityOf = async (path: string): Promise<string> => {
  const { ino, size, mtimeMs } = await stat(path);
  return `${String(ino)}/${String(size)}/${String(mtimeMs)}`;
};

const sha256Of = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
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
  const namesBelow = (): Promise<readonly string[]> =>
    explained('', async () => {
      // A mount that is not there is an outage, never an empty state.
      await stat(root);
      return readdir(folder, { recursive: true }).catch((thrown: unknown) => {
        if (errnoOf(thrown) === 'ENOENT') return [];
        throw thrown;
      });
    });
  const list: StateArchives['list'] = async () =>
    (await namesBelow())
      .map(snapshotOfManifest)
      .filter((id): id is SnapshotId => id !== undefined)
      .sort(compareSnapshots);
  /** What a kill left half written. */
  const dropBroken = (): Promise<void> =>
    explained(INCOMING, async () => {
      const names = await readdir(join(folder, INCOMING)).catch(() => []);
      for (const name of names) {
        const path = join(folder, INCOMING, name);
        const info = await stat(path).catch(() => undefined);
        if (info !== undefined && Date.now() - info.mtimeMs > BROKEN_MS) await rm(path, { force: true });
      }
    });
  const marks = async (): Promise<readonly Mark[]> => {
    const text = await find(MARKS, (path) => readFile(path, 'utf8'));
    try {
      return JSON.parse(text ?? '[]') as Mark[];
    } catch {
      return [];
    }
  };
  /** A folder that was copied to another disk has other inodes: then the content tells whether it is what we wrote last. */
  const lastOfOurs = async (path: string): Promise<SnapshotId | undefined> => {
    const id = parseSnapshot((await marks()).at(-1)?.snapshot ?? '');
    if (id === undefined) return undefined;
    const ours = at(STATE_NAMES.snapshot(id));
    const info = await stat(ours).catch(() => undefined);
    if (info?.size !== (await stat(path)).size) return undefined;
    return (await sha256Of(ours)) === (await sha256Of(path)) ? id : undefined;
  };
  const legacy: StateArchives['legacy'] = () =>
    find(STATE_NAMES.legacy, async (path) => {
      const etag = await identityOf(path);
      const marked = (await marks()).find(({ file }) => file === etag)?.snapshot;
      const snapshot = marked === undefined ? await lastOfOurs(path) : parseSnapshot(marked);
      return { etag, ...(snapshot === undefined ? {} : { snapshot }) };
    });

  return {
    list,
    strays: async () => {
      await dropBroken();
      return straysAmong(await namesBelow());
    },
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
          const copied = await open(temporary, 'r+');
          await copied.sync().finally(() => copied.close());
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
