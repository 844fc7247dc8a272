/**
 * One file of a state, whole and of one moment; what changes while it is read is read again (fault R36). Calls that wait: for a
 * file of a local volume a trip through the thread pool costs many times the call, and this process has nothing else to do.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
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
const withFile = <T>(path: string, use: (file: number) => T): T | undefined => {
  try {
    const file = openSync(path, FLAGS);
    try {
      return fstatSync(file).isFile() ? use(file) : undefined;
    } finally {
      closeSync(file);
    }
  } catch (thrown) {
    if (isPassedOver(thrown)) return undefined;
    throw thrown;
  }
};

let piece: Buffer | undefined;

/** SHA-256 in hex of what is there. Undefined as for {@link readWhole}. @throws as the file system does */
export const hashFile = (path: string): string | undefined =>
  withFile(path, (file) => {
    const hash = createHash('sha256');
    const buffer = (piece ??= Buffer.allocUnsafeSlow(PIECE));
    for (;;) {
      const size = readSync(file, buffer, 0, PIECE, null);
      if (size === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, size));
    }
  });

/** Undefined when it is gone, locked, no file any more, or larger than `maxBytes`. @throws as the file system does */
export const readWhole = async (path: string, maxBytes: number): Promise<WholeFile | undefined> => {
  for (let tries = 1; ; tries += 1) {
    const found = withFile(path, (file): WholeFile | undefined => {
      const before = fstatSync(file);
      if (before.size > maxBytes) return undefined;
      const content = Buffer.allocUnsafe(before.size);
      let done = 0;
      while (done < content.length) {
        const size = readSync(file, content, done, content.length - done, done);
        if (size === 0) break;
        done += size;
      }
      const after = fstatSync(file);
      const same = done === content.length && after.size === before.size;
      const isStill = same && after.mtimeMs === before.mtimeMs && after.ctimeMs === before.ctimeMs;
      return { content: content.subarray(0, done), torn: !isStill };
    });
    if (found === undefined || !found.torn || tries === TRIES) return found;
    await sleep(PAUSE_MS);
  }
};
