/**
 * The log of a bot on its volume: `bot.log`, and before it `bot.log.<start>`, rotated files named by the position of their
 * first byte. A position counts the bytes since the first line on this volume. Where a file begins is read off names and
 * sizes, never off a note: no kill at any moment makes it wrong. Only one process, `runtime execute`, appends.
 */
import { fstatSync, openSync, closeSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export const LOG_NAME = 'bot.log';
const ROTATED = /^bot\.log\.(\d{16})$/;
const TIMES = /^bot\.log\.(\d{16})\.times$/;

const padded = (start: number): string => String(start).padStart(16, '0');

export const rotatedPath = (logsPath: string, start: number): string => join(logsPath, `${LOG_NAME}.${padded(start)}`);
/** When the bytes of the file that begins at `start` were printed; it keeps its name when the file is rotated. */
export const timesPath = (logsPath: string, start: number): string => `${rotatedPath(logsPath, start)}.times`;

export interface LogSegment {
  /** Position of the first byte. */
  readonly start: number;
  /** Position after the last byte. */
  readonly end: number;
  readonly path: string;
  readonly inode: number;
  /** Epoch milliseconds of the last write. */
  readonly changedAt: number;
}

const startsOf = (logsPath: string, pattern: RegExp): number[] => {
  let names: string[];
  try {
    names = readdirSync(logsPath);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw thrown;
  }
  return names
    .flatMap((name) => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
};

export const rotatedStarts = (logsPath: string): readonly number[] => startsOf(logsPath, ROTATED);
export const timesStarts = (logsPath: string): readonly number[] => startsOf(logsPath, TIMES);

const segmentAt = (path: string, start: number): LogSegment | undefined => {
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return undefined;
  return { start, end: start + info.size, path, inode: info.ino, changedAt: Math.floor(info.mtimeMs) };
};

const LOOKS = 100;

/** Oldest first; `bot.log` is the last one, and there even when it has no byte yet. @throws as the file system does */
export const listSegments = (logsPath: string): readonly LogSegment[] => {
  for (let look = 0; look < LOOKS; look += 1) {
    const starts = rotatedStarts(logsPath);
    const rotated = starts.flatMap((start) => segmentAt(rotatedPath(logsPath, start), start) ?? []);
    const path = join(logsPath, LOG_NAME);
    const start = rotated.at(-1)?.end ?? 0;
    const current = segmentAt(path, start) ?? { start, end: start, path, inode: 0, changedAt: 0 };
    // Rotated while we looked: what we saw does not belong together.
    const again = rotatedStarts(logsPath);
    if (rotated.length === starts.length && again.join() === starts.join()) return [...rotated, current];
  }
  throw new Error(`the log files in ${logsPath} keep changing`);
};

/** `bot.log` was rotated between the look and now. */
export class SegmentMoved extends Error {}

/** @throws SegmentMoved, or as the file system does */
export const openSegment = ({ path, inode }: LogSegment): number => {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') throw new SegmentMoved(path);
    throw thrown;
  }
  if (fstatSync(fd).ino === inode) return fd;
  closeSync(fd);
  throw new SegmentMoved(path);
};
