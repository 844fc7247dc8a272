/**
 * One small entry of a zip, whole and checked. Calls that wait: nothing else happens in a container before its code is there,
 * and a stream with its trips through the thread pool costs many times what a small file does.
 */
import { crc32, inflateRawSync } from 'node:zlib';
import type { Entry } from 'yauzl';
import { DroverError } from '../domain/errors.ts';
import { nameOf } from './entry-rules.ts';
import type { OpenZip } from './open-zip.ts';

/** Larger ones come as streams, in bounded memory. */
const SMALL_BYTES = 4 * 1024 ** 2;
/** Of the library. */
const SMALLEST_CHUNK = 64;
const STORED = 0;
const DEFLATED = 8;

export const isSmall = ({ compressedSize, uncompressedSize, compressionMethod }: Entry): boolean =>
  Math.max(compressedSize, uncompressedSize) <= SMALL_BYTES &&
  (compressionMethod === STORED || compressionMethod === DEFLATED);

const corrupt = (entry: Entry, why: string): DroverError =>
  new DroverError('ARCHIVE_CORRUPT', `${nameOf(entry)} ${why}`);

const inflated = (packed: Buffer, entry: Entry): Buffer => {
  try {
    // More than it declares is an error, so that it is never in memory. In one chunk: putting many together takes longer.
    const atMost = entry.uncompressedSize + 1;
    return inflateRawSync(packed, { maxOutputLength: atMost, chunkSize: Math.max(atMost, SMALLEST_CHUNK) });
  } catch (error) {
    throw corrupt(entry, error instanceof Error ? error.message : String(error));
  }
};

/** @throws DroverError ARCHIVE_CORRUPT; as the zip reader does */
export const readSmallEntry = async ({ zip, read }: OpenZip, entry: Entry): Promise<Buffer> => {
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  const packed = Buffer.allocUnsafe(entry.compressedSize);
  read(packed, fileDataStart);
  const content = entry.compressionMethod === STORED ? packed : inflated(packed, entry);
  if (content.length !== entry.uncompressedSize) throw corrupt(entry, 'does not have the declared size');
  // The unzipper does not hold content against its checksum.
  if (crc32(content) !== entry.crc32) throw corrupt(entry, 'differs from its checksum');
  return content;
};
