/** The code archive, unpacked. Nothing lands outside the target, and nothing grows without bound (feature E6, fault R34). */
import { createWriteStream } from 'node:fs';
import { access, chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { DroverError } from '../domain/errors.ts';
import { entryFault, LIMITS, type UnpackLimits } from './entry-rules.ts';

const unsafe = (entry: Entry, why: string): DroverError =>
  new DroverError('ARCHIVE_UNSAFE', `the entry ${JSON.stringify(entry.fileName.slice(0, 200))} ${why}`);

const corrupt = (error: unknown): DroverError =>
  error instanceof DroverError
    ? error
    : new DroverError('ARCHIVE_CORRUPT', error instanceof Error ? error.message : String(error), { cause: error });

/** Unix mode from the entry without setuid, setgid and sticky; always readable and writable by the bot. */
const modeOf = (entry: Entry, isDirectory: boolean): number => {
  const mode = (entry.externalFileAttributes >>> 16) & 0o777;
  return mode | (isDirectory ? 0o700 : 0o600) | (mode === 0 ? 0o044 : 0);
};

const writeEntry = async (zip: ZipFile, entry: Entry, target: string): Promise<void> => {
  const path = join(target, entry.fileName);
  if (entry.fileName.endsWith('/')) {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  // yauzl checks the unpacked size against the entry while it reads: an entry cannot give more than it declares.
  await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(path, { flags: 'wx' }));
  await chmod(path, modeOf(entry, false));
};

/**
 * @throws DroverError ARCHIVE_MISSING, ARCHIVE_CORRUPT, ARCHIVE_UNSAFE
 */
export const unpackCode = async (archive: string, target: string, limits: UnpackLimits = LIMITS): Promise<void> => {
  await access(archive).catch((error: unknown) => {
    throw new DroverError('ARCHIVE_MISSING', `there is no archive at ${archive}`, { cause: error });
  });
  try {
    const zip = await openPromise(archive, { strictFileNames: true, validateEntrySizes: true });
    try {
      if (zip.entryCount > limits.entries) throw new DroverError('ARCHIVE_UNSAFE', 'it has too many entries');
      const names = new Set<string>();
      let total = 0;
      for await (const entry of zip.eachEntry()) {
        const fault = entryFault(entry, limits);
        if (fault !== undefined) throw unsafe(entry, fault);
        if (names.has(entry.fileName)) throw unsafe(entry, 'appears twice');
        names.add(entry.fileName);
        total += entry.uncompressedSize;
        if (total > limits.totalBytes) throw new DroverError('ARCHIVE_UNSAFE', 'it is too large when unpacked');
        await writeEntry(zip, entry, target);
      }
    } finally {
      zip.close();
    }
  } catch (error) {
    // yauzl refuses names that leave the target by itself; its words tell those from a broken file.
    if (error instanceof Error && /invalid relative path|absolute path|invalid characters/.test(error.message)) {
      throw new DroverError('ARCHIVE_UNSAFE', error.message, { cause: error });
    }
    throw corrupt(error);
  }
};
