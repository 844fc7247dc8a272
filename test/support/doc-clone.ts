/** A clone of the repository as a reader has it after `npm ci`: the files as they are now, also those that no commit has yet. */
import { execFile } from 'node:child_process';
import { cp, mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Made by `npm ci` and by `npm run build`; no copy of them is worth its time. */
const MADE = ['node_modules', 'dist'];

export const makeClone = async (root: string, folder: string): Promise<void> => {
  const { stdout } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const path of stdout.split('\0').filter((each) => each !== '')) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    // A file that was removed and is still in the index.
    await cp(join(root, path), target).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
  for (const made of MADE) await symlink(join(root, made), join(folder, made));
};
