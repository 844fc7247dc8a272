/** Is an archive the one that was decided on? */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { DroverError } from '../../domain/errors.ts';

const READ_BYTES = 1024 ** 2;

/** @throws DroverError CODE_INVALID when its SHA-256 is another */
export const requireDigest = async (path: string, digest: string): Promise<void> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: READ_BYTES }), hash);
  const found = hash.digest('hex');
  if (found !== digest) {
    throw new DroverError('CODE_INVALID', `the code archive has the SHA-256 ${found}, but ${digest} is required`);
  }
};
