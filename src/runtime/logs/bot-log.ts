/**
 * /var/the0/logs/bot.log: what the bot printed, plain, rotated, and never more than `files × fileBytes` on disk. Written as it
 * comes; a full disk never stops the bot: what could not be written is counted and told in the log once there is room.
 */
import { appendFileSync, closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'; // prettier-ignore
import { dirname } from 'node:path';
import { DELIVERY } from '../../domain/delivery.ts';
import { newStream, readCursor, writeCursor } from './cursor.ts';
import { listSegments, rotatedPath, rotatedStarts, timesPath, timesStarts } from './log-files.ts';
import { timeRecord } from './log-times.ts';

export interface BotLog {
  /** Never throws. */
  append(chunk: Buffer | string): void;
}

export interface BotLogOptions {
  /** Of one file with its times. */
  readonly fileBytes?: number;
  /** `bot.log` and the rotated ones, at least 2. */
  readonly files?: number;
  readonly now?: () => number;
}

const MIB = 1024 ** 2;
const NEWLINE = 10;

/** Times are noted when the second changes, so that a line carries the very second it was printed in. */
const secondOf = (at: number): number => Math.floor(at / 1_000);

interface Open {
  /** Position of the first byte of bot.log. */
  start: number;
  size: number;
  timesSize: number;
  lastTime: number;
  midLine: boolean;
}

const endsMidLine = (path: string): boolean => {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE;
  } finally {
    closeSync(fd);
  }
};

const dropFile = (logsPath: string, start: number): void => {
  rmSync(rotatedPath(logsPath, start), { force: true });
  rmSync(timesPath(logsPath, start), { force: true });
};

/** Appends all of it or none of it. @throws as the file system does */
const put = (path: string, bytes: Buffer): number => {
  const fd = openSync(path, 'a', 0o644);
  try {
    const { size } = fstatSync(fd);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
    } catch (thrown) {
      ftruncateSync(fd, size);
      throw thrown;
    }
    return size + bytes.length;
  } finally {
    closeSync(fd);
  }
};

const open = (path: string): Open => {
  const logsPath = dirname(path);
  mkdirSync(logsPath, { recursive: true });
  const segments = listSegments(logsPath);
  const current = segments.at(-1);
  const start = current?.start ?? 0;
  const end = current?.end ?? 0;
  const cursor = readCursor(logsPath);
  try {
    // After a loss of power the log may be shorter than what was stored of it: positions must not be given out twice.
    if (cursor === undefined) writeCursor(logsPath, newStream());
    else if (cursor.position > end) writeCursor(logsPath, newStream(end, cursor.dropped));
  } catch {
    // Whoever stores the log makes it.
  }
  const keep = new Set([start, ...segments.map((segment) => segment.start)]);
  for (const stale of timesStarts(logsPath)) if (!keep.has(stale)) rmSync(timesPath(logsPath, stale), { force: true });
  const times = statSync(timesPath(logsPath, start), { throwIfNoEntry: false });
  // Killed between a rotation and the first byte after it: the line to be ended is the rotated file's.
  const last = segments.findLast((segment) => segment.end > segment.start);
  const midLine = last !== undefined && endsMidLine(last.path);
  return { start, size: end - start, timesSize: times?.size ?? 0, lastTime: -Infinity, midLine };
};

export const openBotLog = (path: string = DELIVERY.logFile, options: BotLogOptions = {}): BotLog => {
  const { fileBytes = 16 * MIB, files = 4, now = Date.now } = options;
  const logsPath = dirname(path);
  let log: Open | undefined;
  let missed = 0;
  let missedMidLine = false;
  let why = '';

  const noteTime = (to: Open): void => {
    const at = now();
    if (to.size > 0 && secondOf(at) === secondOf(to.lastTime)) return;
    const record = timeRecord({ position: to.start + to.size, at });
    try {
      appendFileSync(timesPath(logsPath, to.start), record);
      to.timesSize += record.length;
      to.lastTime = at;
    } catch {
      // The lines then carry an earlier time.
    }
  };
  const write = (to: Open, bytes: Buffer): void => {
    // First the time, then the bytes: killed in between, the next start notes the same position again, later.
    noteTime(to);
    to.size = put(path, bytes);
    to.midLine = bytes.at(-1) !== NEWLINE;
  };
  const rotate = (from: Open): void => {
    const { size } = statSync(path);
    // The name says where it begins; from now on bot.log begins where it ends.
    renameSync(path, rotatedPath(logsPath, from.start));
    Object.assign(from, { start: from.start + size, size: 0, timesSize: 0, lastTime: -Infinity });
    for (const start of rotatedStarts(logsPath).slice(0, -(Math.max(files, 2) - 1))) dropFile(logsPath, start);
  };
  /** Calls `wrote` with the bytes that are left, after each write. */
  const writeAll = (to: Open, bytes: Buffer, wrote: (left: Buffer) => void): void => {
    for (let left = bytes; left.length > 0;) {
      const room = Math.max(0, fileBytes - to.size - to.timesSize);
      // Lines stay whole in one file, but for those that are longer than a file.
      const lines = left.length <= room ? left.length : room === 0 ? 0 : left.lastIndexOf(NEWLINE, room - 1) + 1;
      const cut = lines > 0 || to.size > 0 ? lines : Math.max(room, 1);
      if (cut > 0) write(to, left.subarray(0, cut));
      left = left.subarray(cut);
      wrote(left);
      if (left.length > 0) rotate(to);
    }
  };
  const opened = (): Open => {
    if (log !== undefined) return log;
    log = open(path);
    // The last line of a process that was killed is not the beginning of the next one's first.
    if (log.midLine && missed === 0) write(log, Buffer.from('\n'));
    return log;
  };
  /** Whole lines again after some was missed, and the news of it. Returns what is left to write of `bytes`. */
  const afterMiss = (to: Open, bytes: Buffer): Buffer => {
    const lineEnd = missedMidLine ? bytes.indexOf(NEWLINE) + 1 : 0;
    const news = `${to.midLine ? '\n' : ''}drover: ${String(missed + lineEnd)} bytes of output were dropped: ${why}\n`;
    write(to, Buffer.from(news));
    missed = 0;
    return bytes.subarray(lineEnd);
  };
  const append = (bytes: Buffer, triesLeft: number): void => {
    let left = bytes;
    try {
      const to = opened();
      if (missed > 0) left = afterMiss(to, left);
      writeAll(to, left, (rest) => (left = rest));
    } catch (thrown) {
      // Somebody may have moved or removed a file: look again.
      log = undefined;
      if (triesLeft > 0) {
        append(left, triesLeft - 1);
        return;
      }
      why = thrown instanceof Error ? thrown.message : String(thrown);
      missed += left.length;
      missedMidLine = left.at(-1) !== NEWLINE;
    }
  };

  return {
    append: (chunk) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      if (bytes.length > 0) append(bytes, 1);
    },
  };
};
