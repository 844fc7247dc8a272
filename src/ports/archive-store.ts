/** Code archives by the key in `custom.filePath` (contract §4). State and logs follow with a later issue. */
import type { Readable } from 'node:stream';

export interface ArchiveStore {
  /** Size in bytes, or undefined when there is none. @throws DroverError ARCHIVE_UNAVAILABLE, REQUEST_INVALID for a path outside */
  sizeOfCode(filePath: string): Promise<number | undefined>;
  /** Atomic: readers see the old or the whole new archive. */
  putCode(filePath: string, content: Readable): Promise<void>;
}
