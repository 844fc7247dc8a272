/** How large the code of a bot may be: known to the command line, the API and the runtime, so that all of them name the same numbers. */
const MIB = 1024 ** 2;

export const CODE_LIMITS = {
  /** Of the archive on its way through the API, bytes. */
  archiveBytes: 512 * MIB,
  /** Of the files in it, bytes. */
  unpackedBytes: 2_048 * MIB,
  entries: 100_000,
  /** Folders in one another. */
  depth: 64,
  nameBytes: 4_096,
  /** Of one segment of a name: what file systems take. */
  segmentBytes: 255,
} as const;

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB'] as const;

/** A size for people: `3.2 MiB`. */
export const sizeText = (bytes: number): string => {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? String(value) : value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit] ?? ''}`;
};
