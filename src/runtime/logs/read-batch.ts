/** The next piece of the log that goes to one day's object in one go. */
import { listSegments, SegmentMoved, type LogSegment } from './log-files.ts';
import { openTimes } from './log-times.ts';
import { dayOf, messageLine, toNdjson } from './ndjson.ts';
import { readLines } from './read-lines.ts';

export interface LogBatch {
  readonly from: number;
  readonly to: number;
  /** `YYYYMMDD`. */
  readonly day: string;
  /** NDJSON; a view of memory that the next batch uses again. Empty when there were blank lines only. */
  readonly content: Buffer;
}

/** More than the longest piece of a line can become (six bytes for each, and its frame). */
const MOST_BYTES = 8 * 1024 ** 2;
/** Enough for one upload. */
const ENOUGH_BYTES = 4 * 1024 ** 2;
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
  let memory: Buffer | undefined;

  const readFrom = (segments: readonly LogSegment[], position: number, final: boolean): LogBatch | undefined => {
    const start = readableFrom(segments, position);
    const times = openTimes(logsPath, segments);
    const out = (memory ??= Buffer.allocUnsafeSlow(MOST_BYTES));
    let size = 0;
    let to = start;
    let day: string | undefined;
    try {
      if (start > position) {
        const at = times.at(start);
        day = dayOf(at);
        size = out.write(`${messageLine(droppedLine(start - position), at)}\n`);
      }
      for (const line of readLines(segments, start, final)) {
        const at = times.at(line.start);
        const json = toNdjson(line.text, at);
        if (json !== undefined) {
          day ??= dayOf(at);
          if (day !== dayOf(at)) break;
          // Three bytes are the most that one unit of a string can take.
          if (size + json.length * 3 + 1 > out.length && size + Buffer.byteLength(json) + 1 > out.length) break;
          size += out.write(`${json}\n`, size);
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
