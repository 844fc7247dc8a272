/** The code archive, unpacked. Nothing lands outside the target, and nothing grows without bound (feature E6, fault R34). */
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { openPromise, type Entry, type ZipFile } from 'yauzl';
import { DroverError } from '../domain/errors.ts';
import { entryFault, isFolder, LIMITS, plainName, type UnpackLimits } from './entry-rules.ts';

const unsafe = (entry: Entry, why: string): DroverError =>
  new DroverError('ARCHIVE_UNSAFE', `the entry ${JSON.stringify(entry.fileName.slice(0, 200))} ${why}`);

const corrupt = (error: unknown): DroverError =>
  error instanceof DroverError
    ? error
    : new DroverError('ARCHIVE_CORRUPT', error instanceof Error ? error.message : String(error), { cause: error });

/** Unix mode from the entry without setuid, setgid and sticky; always readable and writable by the bot. */
const modeOf = (entry: Entry): number => {
  const mode = (entry.externalFileAttributes >>> 16) & 0o777;
  return mode | 0o600 | (mode === 0 ? 0o044 : 0);
};

/** The unzipper does not hold content against its checksum. */
const checked = (entry: Entry) =>
  async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let sum = 0;
    for await (const chunk of source) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
    if (sum !== entry.crc32) throw new DroverError('ARCHIVE_CORRUPT', `${entry.fileName} differs from its checksum`);
  };

const writeEntry = async (zip: ZipFile, entry: Entry, target: string): Promise<void> => {
  const path = join(target, entry.fileName);
  if (isFolder(entry)) {
    await mkdir(path, { recursive: true });
    return;
  }
  await mkdir(dirname(path), { recursive: true });
  // yauzl checks the unpacked size against the entry while it reads: an entry cannot give more than it declares.
  await pipeline(await zip.openReadStreamPromise(entry), checked(entry), createWriteStream(path, { flags: 'wx' }));
  await chmod(path, modeOf(entry));
};

/**
 * @throws DroverError ARCHIVE_MISSING, ARCHIVE_CORRUPT, ARCHIVE_UNSAFE
 */
export const unpackCode = async (archive: string, target: string, limits: UnpackLimits = LIMITS): Promise<void> => {
  // A mount whose source was missing can leave a folder here.
  const isThere = await stat(archive).then(
    (info) => info.isFile(),
    () => false,
  );
  if (!isThere) throw new DroverError('ARCHIVE_MISSING', `there is no archive at ${archive}`);
  try {
    const zip = await openPromise(archive, { strictFileNames: true, validateEntrySizes: true });
    try {
      if (zip.entryCount > limits.entries) throw new DroverError('ARCHIVE_UNSAFE', 'it has too many entries');
      const names = new Set<string>();
      let total = 0;
      for await (const entry of zip.eachEntry()) {
        const fault = entryFault(entry, limits);
        if (fault !== undefined) throw unsafe(entry, fault);
        const name = plainName(entry);
        if (names.has(name)) throw unsafe(entry, 'appears twice');
        names.add(name);
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
