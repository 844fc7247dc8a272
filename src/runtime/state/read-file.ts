/** One file of a state, whole and of one moment; what changes while it is read is read again (fault R36). */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WholeFile {
  readonly content: Buffer;
  /** It did not hold still: the latest of what was read. */
  readonly torn: boolean;
}

const TRIES = 5;
const PAUSE_MS = 20;
const PIECE = 256 * 1024;
// A pipe that took a file's name must not hold us up, and a link must not lead us away.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const GONE: ReadonlySet<unknown> = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR', 'ENAMETOOLONG']);
// A bot may lock a file or folder of its own: that one is not stored, all others are.
const LOCKED: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM']);

/** Gone, no file any more, or not for us to read: no reason to fail for all the others. */
export const isPassedOver = (thrown: unknown): boolean => {
  const { code } = thrown as NodeJS.ErrnoException;
  return GONE.has(code) || LOCKED.has(code);
};

/** Undefined when it is gone, locked, or no file. */
const withFile = async <T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T | undefined> => {
  try {
    const handle = await open(path, FLAGS);
    try {
      return (await handle.stat()).isFile() ? await use(handle) : undefined;
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (isPassedOver(thrown)) return undefined;
    throw thrown;
  }
};

let piece: Buffer | undefined;

/** SHA-256 in hex of what is there. Undefined as for {@link readWhole}. One at a time: the memory is shared. */
export const hashFile = (path: string): Promise<string | undefined> =>
  withFile(path, async (handle) => {
    const hash = createHash('sha256');
    const buffer = (piece ??= Buffer.allocUnsafeSlow(PIECE));
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, PIECE);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  });

/** Undefined when it is gone, locked, no file any more, or larger than `maxBytes`. @throws as the file system does */
export const readWhole = async (path: string, maxBytes: number): Promise<WholeFile | undefined> => {
  for (let tries = 1; ; tries += 1) {
    const found = await withFile(path, async (handle): Promise<WholeFile | undefined> => {
      const before = await handle.stat();
      if (before.size > maxBytes) return undefined;
      const content = Buffer.allocUnsafe(before.size);
      let done = 0;
      while (done < content.length) {
        const { bytesRead } = await handle.read(content, done, content.length - done, done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      const after = await handle.stat();
      const same = done === content.length && after.size === before.size;
      const isStill = same && after.mtimeMs === before.mtimeMs && after.ctimeMs === before.ctimeMs;
      return { content: content.subarray(0, done), torn: !isStill };
    });
    if (found === undefined || !found.torn || tries === TRIES) return found;
    await sleep(PAUSE_MS);
  }
};
