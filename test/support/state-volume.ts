/** A bot's two volumes and its archive store as folders of this machine, with a keeper as each start of the bot has it. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createFolderStateArchives } from '../../src/adapters/embedded/folder-state-archives.ts';
import { DroverError } from '../../src/domain/errors.ts';
import type { StateArchives } from '../../src/ports/state-archives.ts';
import { createStateKeeper, type StateKeeper } from '../../src/runtime/state/state-keeper.ts';

export const MIB = 1024 ** 2;
export const LIMITS = { totalBytes: 8192 * MIB, fileBytes: 10 * MIB };

export interface Start {
  readonly attempt?: number;
  readonly incarnation?: number;
  readonly archives?: StateArchives;
  readonly keep?: number;
  readonly limits?: typeof LIMITS;
}

export interface StateVolume {
  readonly statePath: string;
  readonly the0Path: string;
  readonly storePath: string;
  readonly archives: StateArchives;
  /** What was told to people. */
  readonly told: string[];
  keeper(start?: Start): StateKeeper;
  write(files: Readonly<Record<string, string | Buffer>>): Promise<void>;
  /** Path → content of all files, folders as `path/`. */
  tree(): Promise<Record<string, string>>;
  /** The host is lost, the archive store is not. */
  dropVolumes(): Promise<void>;
  close(): Promise<void>;
}

/** Path → content, and `path/` → '' for folders: two trees are the same when these are. */
export const treeOf = async (root: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const name of (await readdir(root, { recursive: true })).sort()) {
    const info = await lstat(join(root, name));
    if (info.isDirectory()) found[`${name}/`] = '';
    else if (info.size > 4096)
      found[name] = createHash('sha256')
        .update(await readFile(join(root, name)))
        .digest('hex');
    else found[name] = await readFile(join(root, name), 'latin1');
  }
  return found;
};

/** Every call fails as when the server is away. */
export const away = (): StateArchives =>
  new Proxy({} as StateArchives, {
    get: () => () => Promise.reject(new DroverError('ARCHIVE_UNAVAILABLE', 'away')),
  });

export const openStateVolume = async (given?: StateArchives): Promise<StateVolume> => {
  const base = await mkdtemp(join(tmpdir(), 'drover-state-'));
  const [statePath, the0Path, storePath] = [join(base, 'state'), join(base, 'the0'), join(base, 'store')];
  for (const path of [statePath, the0Path, storePath]) await mkdir(path);
  const archives = given ?? createFolderStateArchives(storePath, 'bot');
  const told: string[] = [];
  return {
    statePath,
    the0Path,
    storePath,
    archives,
    told,
    keeper: (start = {}) =>
      createStateKeeper({
        archives,
        botId: 'bot',
        incarnation: 1,
        attempt: 1,
        statePath,
        the0Path,
        limits: LIMITS,
        keep: 10,
        now: Date.now,
        tell: (line) => told.push(line),
        ...start,
      }),
    write: async (files) => {
      for (const [path, content] of Object.entries(files)) {
        await mkdir(dirname(join(statePath, path)), { recursive: true });
        await writeFile(join(statePath, path), content);
      }
    },
    tree: () => treeOf(statePath),
    dropVolumes: async () => {
      for (const path of [statePath, the0Path]) {
        await rm(path, { recursive: true, force: true });
        await mkdir(path);
      }
    },
    close: () => rm(base, { recursive: true, force: true }),
  };
};
