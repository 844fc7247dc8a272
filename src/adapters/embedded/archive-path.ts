/** Keys of code archives as paths below one folder, and nowhere else. */
import { join } from 'node:path';
import { archiveKeySteps } from '../../domain/archive-key.ts';

/** Folder of code archives below the root; the name of the reference's bucket (contract §4). */
const BUCKET = 'custom-bots';

/** Folder by folder, then the file. @throws DroverError REQUEST_INVALID for a key that is not a plain relative path */
export const archiveSteps = (filePath: string): readonly string[] => [BUCKET, ...archiveKeySteps(filePath)];

/**
 * Where the archive of this key lies on the host, whether it is there or not. For the composition root, which tells the
 * engine adapter what to mount; links are judged by the store's own calls, which come first.
 * @throws DroverError REQUEST_INVALID for a path that escapes
 */
export const codeArchivePath = (root: string, filePath: string): string => join(root, ...archiveSteps(filePath));
