/** A folder without its content, whatever modes a bot has given to it. */
import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Folders that their owner has locked. Links are not followed. */
const unlock = async (path: string): Promise<void> => {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await unlock(join(path, name));
};

/** @throws as the file system does, for what belongs to somebody else */
export const emptyFolder = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      await rm(path, { recursive: true, force: true });
    } catch {
      await unlock(path);
      await rm(path, { recursive: true, force: true });
    }
  }
};
