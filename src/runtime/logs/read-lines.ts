/** Lines of the log from a position on, over all its files, in bounded memory. */
import { closeSync, readSync } from 'node:fs';
import { characterEnd } from './character-end.ts';
import { openSegment, type LogSegment } from './log-files.ts';

export interface LogLine {
  readonly start: number;
  /** Position after it, its newline included. */
  readonly end: number;
  /** Without its newline; a view that the next line uses again. */
  readonly bytes: Buffer;
}

/** A longer line is told in pieces of at most this many bytes, each as a line of its own. */
export const PIECE_BYTES = 1024 ** 2;
const BLOCK = 256 * 1024;
const NEWLINE = 10;

export interface LogBlock {
  readonly position: number;
  readonly bytes: Buffer;
}

interface ByteReader {
  /** Into `target` from `offset` on. 0 at the end, and before a gap. @throws SegmentMoved, or as the file system does */
  read(target: Buffer, offset: number): number;
  close(): void;
}

const openBytes = (segments: readonly LogSegment[], position: number): ByteReader => {
  // An empty one may not be there at all: killed between the rotation and the first byte after it.
  const left = segments.filter(({ start, end }) => end > position && end > start);
  let at = position;
  let open: { readonly fd: number; readonly segment: LogSegment } | undefined;
  const close = (): void => {
    if (open !== undefined) closeSync(open.fd);
    open = undefined;
  };
  return {
    read: (target, offset) => {
      if (open !== undefined && at >= open.segment.end) close();
      if (open === undefined) {
        const segment = left.shift();
        if (segment === undefined || segment.start > at) return 0;
        open = { segment, fd: openSegment(segment) };
      }
      const { fd, segment } = open;
      // 0 also when it is shorter than a moment ago: somebody cut it.
      const size = readSync(fd, target, offset, Math.min(target.length - offset, segment.end - at), at - segment.start);
      at += size;
      return size;
    },
    close,
  };
};

/** What lies on the volume from `position` on, up to the next gap. @throws SegmentMoved, or as the file system does */
export function* readBlocks(segments: readonly LogSegment[], position: number): Generator<LogBlock> {
  const reader = openBytes(segments, position);
  try {
    for (let at = position; ;) {
      const block = Buffer.allocUnsafe(BLOCK);
      const size = reader.read(block, 0);
      if (size === 0) return;
      yield { position: at, bytes: block.subarray(0, size) };
      at += size;
    }
  } finally {
    reader.close();
  }
}

/** Room for one piece, and for reading on; used again and again, so that a flood leaves no litter. */
export const lineMemory = (): Buffer => Buffer.allocUnsafeSlow(PIECE_BYTES + BLOCK);

interface LinesOptions {
  /** Also a last line that has no newline. */
  readonly final: boolean;
  /** {@link lineMemory} */
  readonly memory: Buffer;
}

/** @throws as readBlocks */
export function* readLines(
  segments: readonly LogSegment[],
  position: number,
  { final, memory }: LinesOptions,
): Generator<LogLine> {
  const reader = openBytes(segments, position);
  let at = position;
  let from = 0;
  let to = 0;
  const take = (size: number, textSize = size): LogLine => {
    const line = { start: at, end: at + size, bytes: memory.subarray(from, from + textSize) };
    from += size;
    at += size;
    return line;
  };
  try {
    for (;;) {
      memory.copyWithin(0, from, to);
      to -= from;
      from = 0;
      const size = reader.read(memory, to);
      if (size === 0) break;
      to += size;
      for (;;) {
        const newline = memory.subarray(from, to).indexOf(NEWLINE);
        if (newline !== -1 && newline <= PIECE_BYTES) yield take(newline + 1, newline);
        else if (to - from > PIECE_BYTES) yield take(characterEnd(memory.subarray(from, to), PIECE_BYTES));
        else break;
      }
    }
    // Before a gap nothing will ever end it.
    if (to > 0 && (final || at + to < (segments.at(-1)?.end ?? 0))) yield take(to);
  } finally {
    reader.close();
  }
}
