/** What an entry of a code archive may be: a file or a folder of bounded size, below the target. Pure. */
import type { Entry } from 'yauzl';

export interface UnpackLimits {
  readonly entries: number;
  /** Sum of the unpacked files, bytes. */
  readonly totalBytes: number;
  /** Unpacked to packed size, for entries large enough to matter. */
  readonly ratio: number;
}

export const LIMITS: UnpackLimits = { entries: 100_000, totalBytes: 1024 ** 3, ratio: 200 };

const RATIO_FROM_BYTES = 10 * 1024 ** 2;
const FILE_TYPE = 0o170000;
const ALLOWED_TYPES: ReadonlySet<number> = new Set([0, 0o100000, 0o040000]);
const MAX_DEPTH = 64;
const MAX_NAME_BYTES = 4_096;

const typeOf = (entry: Entry): number => (entry.externalFileAttributes >>> 16) & FILE_TYPE;

/** Some packers mark folders by their type alone. */
export const isFolder = (entry: Entry): boolean => entry.fileName.endsWith('/') || typeOf(entry) === 0o040000;

/** Without the `./` that some packers put in front, and without the slash of a folder. */
export const plainName = ({ fileName }: Entry): string => fileName.replace(/^(\.\/)+/, '').replace(/\/$/, '');

/** Why an entry is refused, or undefined. */
export const entryFault = (entry: Entry, limits: UnpackLimits): string | undefined => {
  const { uncompressedSize, compressedSize } = entry;
  if (!ALLOWED_TYPES.has(typeOf(entry))) return 'is neither a file nor a folder';
  if ((entry.generalPurposeBitFlag & 1) !== 0) return 'is encrypted';
  const name = plainName(entry);
  // The archive's own root, as `./`.
  if (name === '' && isFolder(entry)) return undefined;
  const parts = name.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'is not a plain relative path';
  if (parts.length > MAX_DEPTH) return 'is nested too deeply';
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return 'has a name that is too long';
  if (uncompressedSize > RATIO_FROM_BYTES && uncompressedSize > compressedSize * limits.ratio) {
    return 'has a compression ratio over the limit';
  }
  return undefined;
};

/**
 * Judges the entries of one archive in turn: each by itself, and all together. Names that differ by case or accents alone are
 * two files here, as they are on the reference.
 */
export const createEntryJudge = (limits: UnpackLimits) => {
  const names = new Set<string>();
  let total = 0;
  return (entry: Entry): string | undefined => {
    const fault = entryFault(entry, limits);
    if (fault !== undefined) return fault;
    const name = plainName(entry);
    if (names.has(name)) return 'appears twice';
    names.add(name);
    total += entry.uncompressedSize;
    return total > limits.totalBytes ? 'makes the archive too large when unpacked' : undefined;
  };
};
