/**
 * Queries to one running bot: so many at once, and the others wait in order within the time of their callers. A busy moment makes a
 * query slower and fails none; each bot has a line of its own, so that a slow one takes nothing from the others.
 */
import type { BotId } from '../../domain/bot.ts';
import type { Cancellation } from '../../domain/cancellation.ts';
import { DroverError } from '../../domain/errors.ts';
import { QueryFailure } from '../../domain/query.ts';
import { waitInLine, type Waiter } from '../../domain/waiting-line.ts';

export interface BotLine {
  /**
   * At once where there is a place, because nearly all queries find one. What it gives ends the query; once.
   * @throws QueryFailure QUERY_OVERLOADED when the line is full, or when the time of the caller ends in it; else why it was cancelled
   */
  enter(botId: BotId, cancellation: Cancellation): (() => void) | Promise<() => void>;
}

const RETRY_AFTER_S = 1;
/** For one place so many may wait: a longer line would hold bodies in memory for callers that give up anyway. */
const WAITING_FOR_ONE = 16;

interface Line {
  inFlight: number;
  readonly waiters: Waiter<undefined, () => void>[];
}

const overloaded = (message: string): QueryFailure =>
  new QueryFailure('QUERY_OVERLOADED', message, { retryAfterS: RETRY_AFTER_S });

/** `most`: queries in flight to one bot. */
export const createBotLine = (most: number): BotLine => {
  const lines = new Map<BotId, Line>();

  /** The result ends the query; once. Its place goes on to the next: the number in flight stays. */
  const begin = (botId: BotId, line: Line): (() => void) => {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const next = line.waiters.shift();
      if (next !== undefined) {
        next.take(begin(botId, line));
        return;
      }
      line.inFlight -= 1;
      if (line.inFlight === 0) lines.delete(botId);
    };
  };

  return {
    enter(botId, cancellation) {
      const line = lines.get(botId) ?? { inFlight: 0, waiters: [] };
      if (line.inFlight < most) {
        line.inFlight += 1;
        lines.set(botId, line);
        return begin(botId, line);
      }
      const { signal } = cancellation;
      signal.throwIfAborted();
      if (line.waiters.length >= most * WAITING_FOR_ONE) {
        throw overloaded(
          `${String(most)} queries to this bot are in progress, and ${String(line.waiters.length)} wait`,
        );
      }
      return waitInLine(line.waiters, undefined, signal).catch((reason: unknown) => {
        const isLate = reason instanceof DroverError && reason.code === 'QUERY_TIMEOUT';
        throw isLate
          ? overloaded(`${String(most)} queries to this bot are in progress, and none of them ended in time`)
          : reason;
      });
    },
  };
};
