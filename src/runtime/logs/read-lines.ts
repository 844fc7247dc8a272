/** Lines of the log from a position on, over all its files, in bounded memory. */
import { closeSync, readSync } from 'node:fs';
import { openSegment, type LogSegment } from './log-files.ts';

export interface LogLine {
  readonly start: number;
  /** Position after it, its newline included. */
  readonly end: number;
  /** Without its newline. Invalid UTF-8 is replaced. */
  readonly text: string;
}

/** A longer line is told in pieces of at most this many bytes, each as a line of its own. */
export const PIECE_BYTES = 1024 ** 2;
const BLOCK = 256 * 1024;
const NEWLINE = 10;

export interface LogBlock {
  readonly position: number;
  readonly bytes: Buffer;
}

/** What lies on the volume from `position` on, up to the next gap. @throws SegmentMoved, or as the file system does */
export function* readBlocks(segments: readonly LogSegment[], position: number): Generator<LogBlock> {
  let at = position;
  for (const segment of segments) {
    if (segment.end <= at) continue;
    if (segment.start > at) return;
    const fd = openSegment(segment);
    try {
      while (at < segment.end) {
        const block = Buffer.allocUnsafe(Math.min(BLOCK, segment.end - at));
        const size = readSync(fd, block, 0, block.length, at - segment.start);
        // Shorter than a moment ago: somebody cut it.
        if (size === 0) return;
        yield { position: at, bytes: block.subarray(0, size) };
        at += size;
      }
    } finally {
      closeSync(fd);
    }
  }
}

/** Not in the middle of a character: a byte 10xxxxxx goes on with one that began before. */
const pieceEnd = (bytes: Buffer, start: number): number => {
  const limit = start + PIECE_BYTES;
  for (let back = 0; back < 4; back += 1) if (((bytes[limit - back] ?? 0) & 0xc0) !== 0x80) return limit - back;
  return limit;
};

/** `final`: also a last line that has no newline. @throws as readBlocks */
export function* readLines(segments: readonly LogSegment[], position: number, final: boolean): Generator<LogLine> {
  let rest: Buffer = Buffer.alloc(0);
  let at = position;
  const end = segments.at(-1)?.end ?? 0;
  const take = (size: number, textSize = size): LogLine => {
    const line = { start: at, end: at + size, text: rest.toString('utf8', 0, textSize) };
    rest = rest.subarray(size);
    at += size;
    return line;
  };
  for (const { bytes } of readBlocks(segments, position)) {
    rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    for (;;) {
      const newline = rest.indexOf(NEWLINE);
      if (newline !== -1 && newline <= PIECE_BYTES) yield take(newline + 1, newline);
      else if (rest.length > PIECE_BYTES) yield take(pieceEnd(rest, 0));
      else break;
    }
  }
  // Before a gap nothing will ever end it.
  if (rest.length > 0 && (final || at + rest.length < end)) yield take(rest.length);
}
