/** Keys of code archives (`custom.filePath`): plain relative paths, the same for every store (contract §4). */
import { DroverError } from './errors.ts';

/** What an object store takes as a key at most, and what a file system takes as one name; both in bytes. */
const MAX_KEY = 1_024;
const MAX_STEP = 255;

export const refusePath = (filePath: string, why: string): DroverError =>
  new DroverError('REQUEST_INVALID', `archive path ${JSON.stringify(filePath)}: ${why}`);

/** Folder by folder, then the file. @throws DroverError REQUEST_INVALID for a key that is not a plain relative path */
export const archiveKeySteps = (filePath: string): readonly string[] => {
  if (filePath.includes('\u0000')) throw refusePath(filePath, 'it contains NUL');
  if (!filePath.isWellFormed()) throw refusePath(filePath, 'it is not well-formed Unicode');
  const steps = filePath.split('/');
  if (steps.includes('')) throw refusePath(filePath, 'it is absolute, or has an empty part');
  if (steps.some((step) => step === '.' || step === '..')) throw refusePath(filePath, 'it has a part `.` or `..`');
  if (steps.some((step) => Buffer.byteLength(step) > MAX_STEP)) throw refusePath(filePath, 'a part is too long');
  if (Buffer.byteLength(filePath) > MAX_KEY) throw refusePath(filePath, 'it is too long');
  return steps;
};
