/** The code archive, unpacked. Nothing lands outside the target, and nothing grows without bound (feature E6, fault R34). */
import { chmodSync, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { chmod, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { Entry } from 'yauzl';
import { DroverError } from '../domain/errors.ts';
import { createEntryJudge, isFolder, LIMITS, type UnpackLimits } from './entry-rules.ts';
import { openZip, type OpenZip } from './open-zip.ts';
import { isSmall, readSmallEntry } from './read-entry.ts';

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

/** Folders that are there already are not made again: most archives have many files in few folders. */
const createFolderMaker = () => {
  const made = new Set<string>();
  return (path: string): void => {
    if (made.has(path)) return;
    mkdirSync(path, { recursive: true });
    made.add(path);
  };
};

/** Files side by side: enough to keep inflating while others are written, few enough to hold little memory. */
const WRITES_AT_ONCE = 8;

const createWriter = (archive: OpenZip, target: string) => {
  const makeFolder = createFolderMaker();
  const underWay = new Set<Promise<void>>();
  const write = async (entry: Entry): Promise<void> => {
    const path = join(target, entry.fileName);
    if (isFolder(entry)) {
      makeFolder(path);
      return;
    }
    makeFolder(dirname(path));
    if (isSmall(entry)) {
      writeFileSync(path, await readSmallEntry(archive, entry), { flag: 'wx' });
      chmodSync(path, modeOf(entry));
      return;
    }
    // yauzl checks the unpacked size against the entry while it reads: an entry cannot give more than it declares.
    await pipeline(
      await archive.zip.openReadStreamPromise(entry),
      checked(entry),
      createWriteStream(path, { flags: 'wx' }),
    );
    // Whatever the umask.
    await chmod(path, modeOf(entry));
  };
  let failed: { readonly error: unknown } | undefined;
  const failIfAny = (): void => {
    if (failed !== undefined) throw failed.error;
  };
  return {
    /** @throws what an entry before this one failed with */
    async add(entry: Entry): Promise<void> {
      const writing: Promise<void> = write(entry)
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

/** Each entry that is allowed, in the archive's order. @throws DroverError ARCHIVE_MISSING, ARCHIVE_CORRUPT, ARCHIVE_UNSAFE */
const readArchive = async (
  archive: string,
  limits: UnpackLimits,
  work: (archive: OpenZip) => { add(entry: Entry): Promise<void>; all(): Promise<unknown> },
): Promise<void> => {
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
      if (zip.entryCount > limits.entries) throw new DroverError('ARCHIVE_UNSAFE', 'the archive has too many entries');
      const judge = createEntryJudge(limits);
      const worker = work(opened);
      for await (const entry of zip.eachEntry()) {
        const fault = judge(entry);
        if (fault !== undefined) throw unsafe(entry, fault);
        await worker.add(entry);
      }
      await worker.all();
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

/** Unpacks to `target`; what is refused further on leaves what came before it there. @throws as {@link checkArchive} */
export const unpackCode = (archive: string, target: string, limits: UnpackLimits = LIMITS): Promise<void> =>
  readArchive(archive, limits, (opened) => createWriter(opened, target));

/**
 * Is it an archive, and is every entry allowed? Nothing is unpacked.
 * @throws DroverError ARCHIVE_MISSING, ARCHIVE_CORRUPT, ARCHIVE_UNSAFE
 */
export const checkArchive = (archive: string, limits: UnpackLimits = LIMITS): Promise<void> =>
  readArchive(archive, limits, () => ({ add: () => Promise.resolve(), all: () => Promise.resolve() }));
