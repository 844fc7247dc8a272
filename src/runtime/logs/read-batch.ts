/** The next piece of the log that goes to one day's object in one go. */
import { listSegments, SegmentMoved, type LogSegment } from './log-files.ts';
import { openTimes } from './log-times.ts';
import { dayOf, messageLine } from './ndjson.ts';
import { lineMemory, PIECE_BYTES, readLines } from './read-lines.ts';
import { roomFor, writeNdjson } from './write-ndjson.ts';

export interface LogBatch {
  readonly from: number;
  readonly to: number;
  /** `YYYYMMDD`. */
  readonly day: string;
  /** NDJSON; a view of memory that the next batch uses again. Empty when there were blank lines only. */
  readonly content: Buffer;
}

/** At the beginning of a batch every line has room, and the news of what was dropped. */
const MOST_BYTES = Math.max(8 * 1024 ** 2, roomFor(PIECE_BYTES) + 1024);
/** Enough for one upload. */
const ENOUGH_BYTES = 2 * 1024 ** 2;
const TRIES = 20;

/** Where reading can go on: `position` itself, or after what rotation removed. */
export const readableFrom = (segments: readonly LogSegment[], position: number): number => {
  const next = segments.find(({ start, end }) => end > position || start > position);
  return Math.max(position, next?.start ?? position);
};

const droppedLine = (bytes: number): string =>
  `drover: ${String(bytes)} bytes of output were dropped: the log was rotated before they could be stored`;

export interface BatchReader {
  /**
   * Undefined when nothing is left but, without `final`, the beginning of a line.
   * @throws as the file system does
   */
  read(position: number, final: boolean): LogBatch | undefined;
}

export const createBatchReader = (logsPath: string): BatchReader => {
  let memory: { readonly out: Buffer; readonly lines: Buffer } | undefined;

  const readFrom = (segments: readonly LogSegment[], position: number, final: boolean): LogBatch | undefined => {
    const start = readableFrom(segments, position);
    const times = openTimes(logsPath, segments);
    const { out, lines } = (memory ??= { out: Buffer.allocUnsafeSlow(MOST_BYTES), lines: lineMemory() });
    let size = 0;
    let to = start;
    let day: string | undefined;
    try {
      if (start > position) {
        const at = times.at(start);
        day = dayOf(at);
        size = out.write(`${messageLine(droppedLine(start - position), at)}\n`);
      }
      for (const line of readLines(segments, start, { final, memory: lines })) {
        const at = times.at(line.start);
        const written = writeNdjson(out, size, line.bytes, at);
        if (written < 0) break;
        if (written > 0) {
          day ??= dayOf(at);
          if (day !== dayOf(at)) break;
          size += written;
        }
        to = line.end;
        if (size >= ENOUGH_BYTES) break;
      }
    } finally {
      times.close();
    }
    if (to === position) return undefined;
    return { from: position, to, day: day ?? '', content: out.subarray(0, size) };
  };

  return {
    read: (position, final) => {
      for (let tries = 1; ; tries += 1) {
        try {
          return readFrom(listSegments(logsPath), position, final);
        } catch (thrown) {
          // Rotated under our eyes; the next look finds it under its new name.
          if (!(thrown instanceof SegmentMoved) || tries === TRIES) throw thrown;
        }
      }
    },
  };
};
