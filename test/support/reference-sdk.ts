/** The reference's own Python SDK as bots bring it along, from its package; undefined where it cannot be had. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { openPromise } from 'yauzl';

const run = promisify(execFile);
const PACKAGE = 'the0-sdk==0.3.1';

/** Its files below `vendor/`, as in a bot's archive. */
export const referenceSdk = async (): Promise<Readonly<Record<string, Buffer>> | undefined> => {
  const folder = await mkdtemp(join(tmpdir(), 'drover-sdk-'));
  try {
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', folder, PACKAGE]);
    const [wheel = ''] = await readdir(folder);
    const zip = await openPromise(join(folder, wheel));
    const files: Record<string, Buffer> = {};
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.startsWith('the0/')) {
        files[`vendor/${entry.fileName}`] = await buffer(await zip.openReadStreamPromise(entry));
      }
    }
    return files;
  } catch {
    return undefined;
  } finally {
    await rm(folder, { recursive: true });
  }
};
