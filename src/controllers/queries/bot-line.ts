/**
 * Queries to one running bot: so many at once, and the others wait in order within the time of their callers. A busy moment makes a
 * query slower and fails none; each bot has a line of its own, so that a slow one takes nothing from the others.
 */
import type { BotId } from '../../domain/bot.ts';
import type { Cancellation } from '../../domain/cancellation.ts';
import { DroverError } from '../../domain/errors.ts';
import { QueryFailure } from '../../domain/query.ts';

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
  readonly waiting: Set<() => void>;
}

const overloaded = (message: string): QueryFailure =>
  new QueryFailure('QUERY_OVERLOADED', message, { retryAfterS: RETRY_AFTER_S });

/** `most`: queries in flight to one bot. */
export const createBotLine = (most: number): BotLine => {
  const lines = new Map<BotId, Line>();

  const leave = (botId: BotId, line: Line) => (): void => {
    const [next] = line.waiting;
    if (next !== undefined) {
      // Its place goes on to the next: the number in flight stays.
      line.waiting.delete(next);
      next();
      return;
    }
    line.inFlight -= 1;
    if (line.inFlight === 0) lines.delete(botId);
  };
  const once = (end: () => void): (() => void) => {
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      end();
    };
  };

  return {
    enter(botId, cancellation) {
      const line = lines.get(botId) ?? { inFlight: 0, waiting: new Set() };
      if (line.inFlight < most) {
        line.inFlight += 1;
        lines.set(botId, line);
        return once(leave(botId, line));
      }
      if (line.waiting.size >= most * WAITING_FOR_ONE) {
        throw overloaded(`${String(most)} queries to this bot are in progress, and ${String(line.waiting.size)} wait`);
      }
      return new Promise((resolve, reject) => {
        const take = (): void => {
          forget();
          resolve(once(leave(botId, line)));
        };
        const forget = cancellation.onCancel(() => {
          line.waiting.delete(take);
          const { reason } = cancellation;
          const isLate = reason instanceof DroverError && reason.code === 'QUERY_TIMEOUT';
          const message = `${String(most)} queries to this bot are in progress, and none of them ended in time`;
          reject(isLate ? overloaded(message) : (reason ?? overloaded(message)));
        });
        if (cancellation.reason === undefined) line.waiting.add(take);
      });
    },
  };
};
