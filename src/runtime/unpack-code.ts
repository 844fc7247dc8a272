/** The code archive, unpacked. Nothing lands outside the target, and nothing grows without bound (feature E6, fault R34). */
import { chmodSync, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { chmod, stat, statfs } from 'node:fs/promises';
import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { Entry } from 'yauzl';
import { sizeText } from '../domain/code-limits.ts';
import { DroverError } from '../domain/errors.ts';
import { createSorter, LIMITS, nameOf, type Contents, type Placed, type UnpackLimits } from './entry-rules.ts';
import { openZip, type OpenZip } from './open-zip.ts';
import { isSmall, readSmallEntry } from './read-entry.ts';

/** Of the file system, about what was to be written: the archive itself may be whole. */
const DISK_FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

const unsafe = (entry: Entry, why: string): DroverError =>
  new DroverError('ARCHIVE_UNSAFE', `the entry ${JSON.stringify(nameOf(entry))} ${why}`);

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
    if (sum !== entry.crc32) throw new DroverError('ARCHIVE_CORRUPT', `${nameOf(entry)} differs from its checksum`);
  };

/** Folders that are there already are not made again: most archives have many files in few folders. */
const createFolderMaker = (below: (path: string) => Buffer) => {
  const made = new Set<string>();
  return (path: string): void => {
    if (made.has(path)) return;
    mkdirSync(below(path), { recursive: true });
    made.add(path);
  };
};

/** Files side by side: enough to keep inflating while others are written, few enough to hold little memory. */
const WRITES_AT_ONCE = 8;

const createWriter = (archive: OpenZip, target: string) => {
  const root = Buffer.from(`${target}/`);
  const below = (path: string): Buffer => Buffer.concat([root, Buffer.from(path, 'latin1')]);
  const makeFolder = createFolderMaker(below);
  const underWay = new Set<Promise<void>>();
  const write = async ({ entry, path, isFolder }: Placed): Promise<void> => {
    if (isFolder) {
      makeFolder(path);
      return;
    }
    makeFolder(posix.dirname(path));
    const file = below(path);
    if (isSmall(entry)) {
      writeFileSync(file, await readSmallEntry(archive, entry), { flag: 'wx' });
      chmodSync(file, modeOf(entry));
      return;
    }
    // yauzl checks the unpacked size against the entry while it reads: an entry cannot give more than it declares.
    await pipeline(
      await archive.zip.openReadStreamPromise(entry),
      checked(entry),
      createWriteStream(file, { flags: 'wx' }),
    );
    // Whatever the umask.
    await chmod(file, modeOf(entry));
  };
  let failed: { readonly error: unknown } | undefined;
  const failIfAny = (): void => {
    if (failed !== undefined) throw failed.error;
  };
  return {
    /** @throws what an entry before this one failed with */
    async add(placed: Placed): Promise<void> {
      const writing: Promise<void> = write(placed)
        .catch((error: unknown) => {
          failed ??= { error };
        })
        .finally(() => underWay.delete(writing));
      underWay.add(writing);
      if (underWay.size >= WRITES_AT_ONCE) await Promise.race(underWay);
      failIfAny();
    },
    async all(): Promise<void> {
      await Promise.all(underWay);
      failIfAny();
    },
  };
};

/** @throws DroverError ARCHIVE_MISSING, ARCHIVE_CORRUPT, ARCHIVE_UNSAFE, and what `work` throws */
const readArchive = async (
  archive: string,
  limits: UnpackLimits,
  work: (opened: OpenZip, contents: Contents) => Promise<void>,
): Promise<Contents> => {
  // A mount whose source was missing can leave a folder here.
  const isThere = await stat(archive).then(
    (info) => info.isFile(),
    () => false,
  );
  if (!isThere) throw new DroverError('ARCHIVE_MISSING', `there is no archive at ${archive}`);
  try {
    const opened = await openZip(archive);
    const { zip } = opened;
    try {
      if (zip.entryCount > limits.entries) {
        throw new DroverError(
          'ARCHIVE_UNSAFE',
          `the archive has ${String(zip.entryCount)} entries, and at most ${String(limits.entries)} are accepted`,
        );
      }
      const sorter = createSorter(limits);
      for await (const entry of zip.eachEntry()) {
        const fault = sorter.add(entry);
        if (fault !== undefined) throw unsafe(entry, fault);
      }
      const contents = sorter.contents();
      await work(opened, contents);
      return contents;
    } finally {
      zip.close();
    }
  } catch (error) {
    throw corrupt(error);
  }
};

const freeBytes = (folder: string): Promise<number | undefined> =>
  statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  );

const diskFull = async (target: string, bytes: number, cause?: unknown): Promise<DroverError> => {
  const free = await freeBytes(target);
  const left = free === undefined ? '' : `, and ${sizeText(free)} are free`;
  return new DroverError(
    'HOST_PRESSURE',
    `the disk of the engine has no room for the code: it needs ${sizeText(bytes)} in ${target}${left}`,
    { cause },
  );
};

/**
 * Unpacks to `target`, an empty folder; what is refused further on leaves what came before it there. Resolves with what the archive
 * holds. @throws as {@link checkArchive}; HOST_PRESSURE when the disk has no room for it
 */
export const unpackCode = (archive: string, target: string, limits: UnpackLimits = LIMITS): Promise<Contents> =>
  readArchive(archive, limits, async (opened, { placed, bytes }) => {
    const free = await freeBytes(target);
    if (free !== undefined && bytes > free) throw await diskFull(target, bytes);
    const writer = createWriter(opened, target);
    try {
      for (const one of placed) await writer.add(one);
      await writer.all();
    } catch (error) {
      await writer.all().catch(() => undefined);
      throw DISK_FULL.has(String((error as NodeJS.ErrnoException).code)) ? await diskFull(target, bytes, error) : error;
    }
  });

/**
 * Is it an archive, and is it one that may be unpacked? Nothing is.
 * @throws DroverError ARCHIVE_MISSING, ARCHIVE_CORRUPT, ARCHIVE_UNSAFE
 */
export const checkArchive = (archive: string, limits: UnpackLimits = LIMITS): Promise<Contents> =>
  readArchive(archive, limits, () => Promise.resolve());
