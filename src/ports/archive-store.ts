/** Code archives by the key in `custom.filePath` (contract §4). State and logs: `state-archives.ts`, `log-archives.ts`. */
import type { Readable } from 'node:stream';

export interface OpenArchive {
  /** Bytes. */
  readonly size: number;
  readonly content: Readable;
}

export interface CodeDigest {
  /** Hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export interface ArchiveStore {
  /** Size in bytes, or undefined when there is none. @throws DroverError ARCHIVE_UNAVAILABLE, REQUEST_INVALID for a path outside */
  sizeOfCode(filePath: string): Promise<number | undefined>;
  /**
   * The archive as it is now, or undefined when there is none. The stream gives exactly `size` bytes or fails; whoever opens
   * it reads it to its end or destroys it. @throws as sizeOfCode
   */
  openCode(filePath: string): Promise<OpenArchive | undefined>;
  /** What the archive is now, undefined when there is none; an unchanged one is read once. @throws as sizeOfCode */
  digestOfCode(filePath: string): Promise<CodeDigest | undefined>;
  /** Atomic: readers see the old or the whole new archive. */
  putCode(filePath: string, content: Readable): Promise<void>;
  /** Resolves when the store answers and holds what it must. @throws DroverError ARCHIVE_UNAVAILABLE, ARCHIVE_FORBIDDEN with what to do */
  ping(): Promise<void>;
}
