/**
 * `runtime code admit <digest> <path>`: takes an archive that was brought into the code cache. Only what is whole, is the one
 * that was asked for and holds nothing that is refused gets its name there; bots find it under that name or not at all.
 */
import { chmod, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DELIVERY } from '../../domain/delivery.ts';
import { DroverError, toDroverError } from '../../domain/errors.ts';
import { checkArchive } from '../unpack-code.ts';
import { requireDigest } from './require-digest.ts';

const USAGE = 'usage: runtime code admit <sha256> <path>\n';

const syncPath = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const admit = async (digest: string, path: string, cache: string): Promise<void> => {
  await requireDigest(path, digest);
  await checkArchive(path);
  await chmod(path, 0o444);
  await syncPath(path);
  const place = join(cache, `${digest}.zip`);
  await rename(path, place);
  await syncPath(dirname(place));
};

/** Resolves to the exit code; a refusal is one line of JSON on standard output. */
export const admitCode = async (args: readonly string[], cache: string = DELIVERY.codeCache): Promise<number> => {
  const [digest, path] = args;
  if (digest === undefined || path === undefined || !/^[0-9a-f]{64}$/.test(digest)) {
    process.stderr.write(USAGE);
    return 64;
  }
  try {
    await admit(digest, path, cache);
    return 0;
  } catch (thrown) {
    await rm(path, { force: true });
    const { code, message } =
      thrown instanceof DroverError ? thrown : toDroverError(new DroverError('ENGINE_ERROR', String(thrown)));
    process.stdout.write(`${JSON.stringify({ code, detail: message })}\n`);
    return 1;
  }
};
