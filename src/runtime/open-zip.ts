/** A zip on a local disk, read by calls that wait: hundreds of small reads through the thread pool take longer than the work itself. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';

const PIECE_BYTES = 256 * 1024;

class FileReader extends RandomAccessReader {
  readonly #file: number;
  constructor(file: number) {
    super();
    this.#file = file;
  }
  override _readStreamForRange(start: number, end: number): Readable {
    // Not the file system's own stream: that closes the file when it is let go.
    return Readable.from(this.#pieces(start, end), { objectMode: false });
  }
  *#pieces(start: number, end: number): Generator<Buffer> {
    for (let at = start; at < end;) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, end - at));
      const size = readSync(this.#file, piece, 0, piece.length, at);
      if (size === 0) throw new Error('the archive is truncated');
      yield piece.subarray(0, size);
      at += size;
    }
  }
  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    let failed: Error | null = null;
    try {
      if (readSync(this.#file, buffer, offset, length, position) < length)
        failed = new Error('the archive is truncated');
    } catch (error) {
      failed = error instanceof Error ? error : new Error(String(error));
    }
    callback(failed);
  }
  override close(callback: (error: Error | null) => void): void {
    closeSync(this.#file);
    setImmediate(callback, null);
  }
}

export interface OpenZip {
  readonly zip: ZipFile;
  /** Exactly so many bytes. @throws as the file system does, or when the archive is cut off */
  read(bytes: Buffer, position: number): void;
}

/** `zip.close()` closes the file. @throws as the file system and the zip reader do */
export const openZip = async (path: string): Promise<OpenZip> => {
  const file = openSync(path, 'r');
  const reader = new FileReader(file);
  try {
    const zip = await fromRandomAccessReaderPromise(reader, fstatSync(file).size, {
      // Names as bytes: which of them may be is decided by `entry-rules.ts`, entry by entry.
      decodeStrings: false,
      validateEntrySizes: true,
      autoClose: false,
    });
    return {
      zip,
      read: (bytes, position) => {
        reader.read(bytes, 0, bytes.length, position, (error) => {
          if (error !== null) throw error;
        });
      },
    };
  } catch (error) {
    closeSync(file);
    throw error;
  }
};
