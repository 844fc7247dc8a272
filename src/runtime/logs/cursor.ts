/**
 * How far the log of this volume is stored: a small file beside it, replaced as a whole. It may lag behind by an upload
 * (the day's object itself says what it holds), and is never ahead.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface LogCursor {
  /** Names this volume's stream of bytes; 16 hex digits. */
  readonly stream: string;
  /** Everything before it is stored, or counted as dropped. */
  readonly position: number;
  /** Bytes that rotation removed before they were stored, since the volume is there. */
  readonly dropped: number;
  /** How far they are counted. */
  readonly droppedTo: number;
}

export const cursorPath = (logsPath: string): string => join(logsPath, 'bot.log.cursor');

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Undefined when there is none, or none that makes sense. @throws as the file system does */
export const readCursor = (logsPath: string): LogCursor | undefined => {
  let text: string;
  try {
    text = readFileSync(cursorPath(logsPath), 'utf8');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
  try {
    const { stream, position, dropped, droppedTo } = JSON.parse(text) as Partial<LogCursor>;
    if (typeof stream !== 'string' || !/^[\da-f]{16}$/.test(stream)) return undefined;
    if (!isCount(position) || !isCount(dropped) || !isCount(droppedTo)) return undefined;
    return { stream, position, dropped, droppedTo };
  } catch {
    return undefined;
  }
};

/** Durable when it returns. @throws as the file system does */
export const writeCursor = (logsPath: string, cursor: LogCursor): void => {
  const path = cursorPath(logsPath);
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(`${path}.new`, 'w', 0o644);
  try {
    writeSync(fd, JSON.stringify(cursor));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(`${path}.new`, path);
};

/** A stream nobody has stored anything of; bytes before `position` do not belong to it. */
export const newStream = (position = 0, dropped = 0): LogCursor => ({
  stream: randomBytes(8).toString('hex'),
  position,
  dropped,
  droppedTo: position,
});
