/** Keys of code archives as paths below one folder, and nowhere else. */
import { join } from 'node:path';
import { DroverError } from '../../domain/errors.ts';

/** Folder of code archives below the root; the name of the reference's bucket (contract §4). */
const BUCKET = 'custom-bots';

export const refusePath = (filePath: string, why: string): DroverError =>
  new DroverError('REQUEST_INVALID', `archive path ${JSON.stringify(filePath)}: ${why}`);

/** Folder by folder, then the file. @throws DroverError REQUEST_INVALID for a key that is not a plain relative path */
export const archiveSteps = (filePath: string): readonly string[] => {
  if (filePath.includes('\u0000')) throw refusePath(filePath, 'it contains NUL');
  if (!filePath.isWellFormed()) throw refusePath(filePath, 'it is not well-formed Unicode');
  const steps = filePath.split('/');
  if (steps.includes('')) throw refusePath(filePath, 'it is absolute, or has an empty part');
  if (steps.some((step) => step === '.' || step === '..')) throw refusePath(filePath, 'it has a part `.` or `..`');
  if (steps.some((step) => Buffer.byteLength(step) > 255)) throw refusePath(filePath, 'a part is too long');
  return [BUCKET, ...steps];
};

/**
 * Where the archive of this key lies on the host, whether it is there or not. For the composition root, which tells the
 * engine adapter what to mount; links are judged by the store's own calls, which come first.
 * @throws DroverError REQUEST_INVALID for a path that escapes
 */
export const codeArchivePath = (root: string, filePath: string): string => join(root, ...archiveSteps(filePath));
