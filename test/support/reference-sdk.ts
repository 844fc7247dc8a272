/** The reference's own Python SDK as bots bring it along, from its package; undefined where it cannot be had. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { openPromise } from 'yauzl';
import { cacheFolder, thisMachine } from '../../scripts/machine.ts';

const run = promisify(execFile);
const PACKAGE = 'the0-sdk==0.3.1';

/** Path of its wheel: downloaded once for this machine, for a registry is not always there. @throws Error where it cannot be had */
const wheel = async (): Promise<string> => {
  const kept = join(cacheFolder(thisMachine), `${PACKAGE}.whl`);
  if (existsSync(kept)) return kept;
  await mkdir(join(kept, '..'), { recursive: true });
  const folder = await mkdtemp(`${kept}-`);
  try {
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, PACKAGE]);
    const [downloaded = ''] = await readdir(folder);
    // Another worker may do the same now: whole files alone come under this name.
    await rename(join(folder, downloaded), kept);
    return kept;
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** Its files below `vendor/`, as in a bot's archive. */
export const referenceSdk = async (): Promise<Readonly<Record<string, Buffer>> | undefined> => {
  try {
    const zip = await openPromise(await wheel());
    const files: Record<string, Buffer> = {};
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.startsWith('the0/')) {
        files[`vendor/${entry.fileName}`] = await buffer(await zip.openReadStreamPromise(entry));
      }
    }
    return files;
  } catch {
    return undefined;
  }
};
