/** A tree on the volume replaced by another one that is whole: unpacked beside, verified, then moved into place. */
import { execFile } from 'node:child_process';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { WORK_FOLDER } from './scan.ts';
import { unpackState, type UnpackOptions, type Unpacked } from './unpack-state.ts';

const STATE_FOLDER = '.the0-state';
const isThere = (error: unknown): boolean => (error as NodeJS.ErrnoException).code !== 'ENOENT';

/** All of the file system at once: 20 000 single waits for a disk take minutes. False where there is no such program. */
const syncFileSystem = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    execFile('sync', ['-f', path], (error) => {
      resolve(error === null);
    });
  });

/** On the disk when it resolves: a marker must never outlive what it speaks of, were it by a loss of power. */
export const settleTree = async (statePath: string): Promise<void> => {
  if (await syncFileSystem(statePath)) return;
  const names = await readdir(statePath, { recursive: true, withFileTypes: true });
  const paths = names.filter((one) => one.isFile() || one.isDirectory()).map((one) => join(one.parentPath, one.name));
  for (const path of [...paths, statePath]) {
    const handle = await open(path, 'r');
    await handle.sync().finally(() => handle.close());
  }
};

/** Puts back what a swap that was broken off had taken away, and clears the rest of its work. */
export const tidyUp = async (statePath: string): Promise<void> => {
  const old = join(statePath, WORK_FOLDER, 'old');
  const place = join(statePath, STATE_FOLDER);
  const names = await readdir(statePath);
  if (!names.includes(WORK_FOLDER)) return;
  if (!names.includes(STATE_FOLDER)) {
    await rename(old, place).catch((error: unknown) => {
      if (isThere(error)) throw error;
    });
  }
  await rm(join(statePath, WORK_FOLDER), { recursive: true, force: true });
};

/** Unpacks beside the tree. Resolves with where it lies. */
export const unpackBeside = async (
  statePath: string,
  archive: Readable,
  options: Omit<UnpackOptions, 'target'>,
): Promise<Unpacked & { readonly folder: string }> => {
  const folder = join(statePath, WORK_FOLDER, 'new');
  await rm(join(statePath, WORK_FOLDER), { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  return { ...(await unpackState(archive, { ...options, target: folder })), folder };
};

/** The whole tree becomes what lies in `folder`. Not atomic: who calls marks the volume first, and does it again after a kill. */
export const replaceAll = async (statePath: string, folder: string): Promise<void> => {
  for (const name of await readdir(statePath)) {
    if (name !== WORK_FOLDER) await rm(join(statePath, name), { recursive: true, force: true });
  }
  for (const name of await readdir(folder)) await rename(join(folder, name), join(statePath, name));
  await rm(join(statePath, WORK_FOLDER), { recursive: true, force: true });
};

/** Only `.the0-state` becomes that of `folder`; {@link tidyUp} undoes a half of it. */
export const replaceStateFolder = async (statePath: string, folder: string): Promise<void> => {
  const place = join(statePath, STATE_FOLDER);
  await rename(place, join(statePath, WORK_FOLDER, 'old')).catch((error: unknown) => {
    if (isThere(error)) throw error;
  });
  const source = join(folder, STATE_FOLDER);
  await mkdir(source, { recursive: true });
  await rename(source, place);
  await rm(join(statePath, WORK_FOLDER), { recursive: true, force: true });
};
