/** When a line was printed: beside each log file, lines `<position> <epoch ms>`, at most one a second. */
import { closeSync, openSync, readSync } from 'node:fs';
import { timesPath, type LogSegment } from './log-files.ts';

/** Bytes from `position` on were printed at `at` (epoch ms) or, until the next record, later in the same second. */
export interface TimeRecord {
  readonly position: number;
  readonly at: number;
}

const RECORD = /^(\d{1,16}) (\d{13})$/;
const BLOCK = 64 * 1024;

export const timeRecord = ({ position, at }: TimeRecord): string => `${String(position)} ${String(at)}\n`;

function* records(path: string): Generator<TimeRecord> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    // Lost, e.g. on a full disk: the time of the file itself must do.
    return;
  }
  try {
    const block = Buffer.allocUnsafe(BLOCK);
    let rest = '';
    for (;;) {
      const size = readSync(fd, block);
      if (size === 0) return;
      const lines = (rest + block.toString('latin1', 0, size)).split('\n');
      // What a kill left half written does not match, or is the last one.
      rest = (lines.pop() ?? '').slice(-64);
      for (const line of lines) {
        const [, position, at] = RECORD.exec(line) ?? [];
        if (at !== undefined) yield { position: Number(position), at: Number(at) };
      }
    }
  } finally {
    closeSync(fd);
  }
}

export interface TimesReader {
  /** Epoch ms at which the byte at `position` was printed. Ask in rising order. */
  at(position: number): number;
  close(): void;
}

export const openTimes = (logsPath: string, segments: readonly LogSegment[]): TimesReader => {
  const left = [...segments];
  let segment: LogSegment | undefined;
  let source: Generator<TimeRecord> | undefined;
  let known: TimeRecord | undefined;
  let next: TimeRecord | undefined;
  const advance = (): void => {
    const step = source?.next();
    next = step?.done === false ? step.value : undefined;
  };
  const close = (): void => {
    source?.return(undefined);
  };
  return {
    at: (position) => {
      while (segment === undefined || (position >= segment.end && left.length > 0)) {
        close();
        segment = left.shift();
        if (segment === undefined) return 0;
        known = undefined;
        source = records(timesPath(logsPath, segment.start));
        advance();
      }
      while (next !== undefined && next.position <= position) {
        known = next;
        advance();
      }
      return (known ?? next)?.at ?? segment.changedAt;
    },
    close,
  };
};
