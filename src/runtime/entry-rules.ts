/**
 * What becomes of the entries of a code archive (contract §4): files and folders below the target are unpacked, what cannot be
 * there is skipped and told, and an archive that is no honest one is refused. Pure.
 */
import { posix } from 'node:path';
import type { Entry } from 'yauzl';
import { CODE_LIMITS } from '../domain/code-limits.ts';

export interface UnpackLimits {
  readonly entries: number;
  /** Sum of the unpacked files, bytes. */
  readonly totalBytes: number;
}

export const LIMITS: UnpackLimits = { entries: CODE_LIMITS.entries, totalBytes: CODE_LIMITS.unpackedBytes };

export interface Placed {
  readonly entry: Entry;
  /** Below the target, one character a byte: names are bytes, and not all are text. */
  readonly path: string;
  readonly isFolder: boolean;
}

export interface Skipped {
  readonly name: string;
  readonly why: string;
}

export interface Contents {
  /** In the order of the archive; of two with one name the last one, as it would lie there after both. */
  readonly placed: readonly Placed[];
  readonly skipped: readonly Skipped[];
  /** When unpacked. */
  readonly bytes: number;
}

const FILE_TYPE = 0o170000;
const TYPES: Readonly<Record<number, string>> = {
  0o120000: 'is a symbolic link, and links are not made again',
  0o060000: 'is a device',
  0o020000: 'is a device',
  0o010000: 'is a named pipe',
  0o140000: 'is a socket',
};

const typeOf = (entry: Entry): number => (entry.externalFileAttributes >>> 16) & FILE_TYPE;

/** For people. */
export const nameOf = ({ fileNameRaw }: Entry): string => fileNameRaw.toString('utf8').slice(0, 200);

/** Some packers mark folders by their type alone. */
const isFolder = (entry: Entry): boolean => entry.fileNameRaw.at(-1) === 0x2f || typeOf(entry) === 0o040000;

/** Below the target; undefined when it is not. As the reference joins both: a leading `/` or `./` says nothing. */
const pathOf = ({ fileNameRaw }: Entry): string | undefined => {
  const joined = posix.normalize(`./${fileNameRaw.toString('latin1')}`).replace(/\/$/, '');
  return joined === '..' || joined.startsWith('../') ? undefined : joined;
};

/** Why this entry, of an allowed kind, cannot lie on a file system of Linux. */
const pathFault = (path: string): string | undefined => {
  if (path.includes('\0')) return 'has a NUL in its name';
  const parts = path.split('/');
  if (parts.length > CODE_LIMITS.depth) return `is nested more than ${String(CODE_LIMITS.depth)} levels deep`;
  return path.length > CODE_LIMITS.nameBytes || parts.some((part) => part.length > CODE_LIMITS.segmentBytes)
    ? 'has a name that is too long'
    : undefined;
};

/** Sorts the entries of one archive, one by one. */
export const createSorter = (limits: UnpackLimits) => {
  const placed = new Map<string, Placed>();
  const skipped: Skipped[] = [];
  let total = 0;
  return {
    /** Why the whole archive is refused, or undefined. */
    add(entry: Entry): string | undefined {
      if ((entry.generalPurposeBitFlag & 1) !== 0) return 'is encrypted';
      const path = pathOf(entry);
      const why = TYPES[typeOf(entry)] ?? (path === undefined ? 'leads out of the folder' : pathFault(path));
      if (path === undefined || why !== undefined) {
        skipped.push({ name: nameOf(entry), why: why ?? '' });
        return undefined;
      }
      // The archive's own root.
      if (path === '.') return isFolder(entry) ? undefined : 'has no name';
      const former = placed.get(path);
      if (former !== undefined && former.isFolder !== isFolder(entry)) return 'is a file and a folder';
      // The place of the last one counts.
      placed.delete(path);
      placed.set(path, { entry, path, isFolder: isFolder(entry) });
      total += entry.uncompressedSize - (former?.entry.uncompressedSize ?? 0);
      return total > limits.totalBytes
        ? `makes the archive larger than ${String(limits.totalBytes)} bytes when unpacked`
        : undefined;
    },
    contents: (): Contents => ({ placed: [...placed.values()], skipped, bytes: total }),
  };
};
