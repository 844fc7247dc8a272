/**
 * Brings the log of this volume into the archive store, each line once and in order. The cursor on the volume says where to
 * go on; the day's object has the last word, so a lost answer, or a kill between upload and cursor, repeats nothing.
 */
import { existsSync } from 'node:fs';
import { DroverError, toDroverError } from '../../domain/errors.ts';
import type { LogsReport, ReportedError } from '../../domain/sync-report.ts';
import type { LogArchives } from '../../ports/log-archives.ts';
import { newStream, readCursor, writeCursor, type LogCursor } from './cursor.ts';
import { listSegments } from './log-files.ts';
import { createBatchReader, readableFrom } from './read-batch.ts';

export interface LogShipperOptions {
  readonly archives: LogArchives;
  /** Folder of bot.log. */
  readonly logsPath: string;
  readonly botId: string;
  readonly now: () => number;
  /** A line for people. */
  readonly tell: (line: string) => void;
}

export interface LogShipper {
  /** Ships until nothing is left. `final`: also a last line without a newline. Never rejects. One call at a time. */
  ship(options: { readonly final: boolean }): Promise<LogsReport>;
}

const FULL = new Set(['ENOSPC', 'EDQUOT']);

const reportedError = (thrown: unknown): ReportedError => {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const error = FULL.has(code)
    ? new DroverError('HOST_PRESSURE', `the volume of the bot is full: ${(thrown as Error).message}`)
    : toDroverError(thrown);
  return { code: error.code, detail: error.message };
};

export const createLogShipper = ({ archives, logsPath, botId, tell }: LogShipperOptions): LogShipper => {
  const reader = createBatchReader(logsPath);
  let cursor: LogCursor | undefined;
  let unwritten: ReportedError | undefined;

  const commit = (next: LogCursor): LogCursor => {
    cursor = next;
    try {
      writeCursor(logsPath, next);
      unwritten = undefined;
    } catch (thrown) {
      // Shipping goes on: whoever finds the old cursor learns the rest from the day's object.
      if (unwritten === undefined) tell(`logs of ${botId}: the cursor could not be written: ${String(thrown)}`);
      unwritten = reportedError(thrown);
    }
    return next;
  };

  const current = (): LogCursor => {
    const stored = readCursor(logsPath);
    // In memory it is ahead when the disk was full.
    const known = stored === undefined || stored.stream === cursor?.stream ? (cursor ?? stored) : stored;
    const found = (cursor = known ?? commit(newStream()));
    const last = listSegments(logsPath).at(-1);
    if (last === undefined || last.end >= found.position) return found;
    // Somebody emptied bot.log while the bot runs: what is in it now is new.
    tell(
      `logs of ${botId}: ${String(found.position - last.end)} bytes that were stored are missing; bot.log is read from its start`,
    );
    return commit(newStream(last.start, found.dropped));
  };

  const countDropped = (at: LogCursor): LogCursor => {
    const droppedTo = readableFrom(listSegments(logsPath), at.position);
    const known = Math.max(at.position, at.droppedTo);
    if (droppedTo <= known) return at;
    return commit({ ...at, dropped: at.dropped + droppedTo - known, droppedTo });
  };

  const shipAll = async (final: boolean): Promise<void> => {
    for (let at = countDropped(current()); ; at = countDropped(current())) {
      const batch = reader.read(at.position, final);
      if (batch === undefined) return;
      const { from, to, day, content } = batch;
      const position = content.length === 0 ? to : await archives.append(day, { stream: at.stream, from, to }, content);
      if (position <= from) throw new DroverError('INTERNAL', `log of ${day}: stored up to ${String(position)} only`);
      commit({ ...at, position });
      const end = listSegments(logsPath).at(-1)?.end ?? 0;
      // More is stored than the volume has: a loss of power took the end of the log. Positions are not used twice.
      if (position > end) commit(newStream(end, at.dropped));
    }
  };

  return {
    ship: async ({ final }) => {
      try {
        if (unwritten !== undefined && cursor !== undefined) commit(cursor);
        if (existsSync(logsPath)) await shipAll(final);
        const droppedBytes = cursor?.dropped ?? 0;
        if (unwritten !== undefined) return { status: 'failing', droppedBytes, error: unwritten };
        return { status: 'shipped', droppedBytes };
      } catch (thrown) {
        return { status: 'failing', droppedBytes: cursor?.dropped ?? 0, error: reportedError(thrown) };
      }
    },
  };
};
