/** The folder an archive really lies in, found step by step, so that no symbolic link leads out of the root. */
import { chmod, mkdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { refusePath } from '../../domain/archive-key.ts';
import { syncFolder } from './sync-folder.ts';

export const errnoOf = (thrown: unknown): unknown =>
  thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;

const makeFolder = async (parent: string, folder: string): Promise<void> => {
  try {
    await mkdir(folder);
  } catch (thrown) {
    if (errnoOf(thrown) === 'EEXIST') return;
    throw thrown;
  }
  // Whatever the umask: the bot's user reads the archive.
  await chmod(folder, 0o755);
  await syncFolder(parent);
};

/** The real path of `name` in `folder`, undefined when it is not there. @throws DroverError REQUEST_INVALID when it lies outside */
const stepInto = async (
  realRoot: string,
  folder: string,
  name: string,
  filePath: string,
): Promise<string | undefined> => {
  let real: string;
  try {
    real = await realpath(join(folder, name));
  } catch (thrown) {
    if (errnoOf(thrown) === 'ENOENT' || errnoOf(thrown) === 'ENOTDIR') return undefined;
    throw thrown;
  }
  if (!real.startsWith(realRoot + sep)) throw refusePath(filePath, 'a link leads out of the archive folder');
  return real;
};

/** The real path of an archive or folder that is there. @throws DroverError REQUEST_INVALID when a link leads out */
export const findInside = async (
  root: string,
  steps: readonly string[],
  filePath: string,
): Promise<string | undefined> => {
  const realRoot = await realpath(root);
  let at: string | undefined = realRoot;
  for (const step of steps) {
    at = await stepInto(realRoot, at, step, filePath);
    if (at === undefined) return undefined;
  }
  return at;
};

/** The real path of a folder, made where it is missing. @throws DroverError REQUEST_INVALID when a link or a file is in the way */
export const makeInside = async (root: string, steps: readonly string[], filePath: string): Promise<string> => {
  const realRoot = await realpath(root);
  let at = realRoot;
  for (const step of steps) {
    try {
      await makeFolder(at, join(at, step));
    } catch (thrown) {
      if (errnoOf(thrown) === 'ENOTDIR') throw refusePath(filePath, 'a part of it is a file');
      throw thrown;
    }
    const next = await stepInto(realRoot, at, step, filePath);
    if (next === undefined) throw refusePath(filePath, 'a link in it has no target');
    at = next;
  }
  return at;
};
