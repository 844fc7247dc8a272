/**
 * Turns at something of which there is little, with a bounded queue before them (feature F4). Shared out by bot: whoever has the
 * fewest is next, and no bot has all of them or more than half of the queue, so that one that hangs does not shut out the others.
 */
import { QueryFailure } from '../../domain/query.ts';
import { waitInLine, type Waiter } from '../../domain/waiting-line.ts';

export interface TurnsOptions {
  readonly size: number;
  readonly queue: number;
}

export interface Turns {
  /** The result ends the turn; once. @throws QueryFailure QUERY_OVERLOADED; the signal's reason */
  take(botId: string, signal: AbortSignal): Promise<() => void>;
  waiting(): number;
}

const RETRY_AFTER_S = 2;

export const createTurns = ({ size, queue }: TurnsOptions): Turns => {
  const mostOfOne = Math.max(1, size - 1);
  const mostWaitingOfOne = Math.ceil(queue / 2);
  const active = new Map<string, number>();
  /** By bot. */
  const waiters: Waiter<string, () => void>[] = [];
  let taken = 0;

  const activeOf = (botId: string): number => active.get(botId) ?? 0;
  const mayGo = (botId: string): boolean => taken < size && activeOf(botId) < mostOfOne;

  const next = (): void => {
    const able = waiters.filter(({ place: botId }) => mayGo(botId));
    const fewest = Math.min(...able.map(({ place: botId }) => activeOf(botId)));
    const chosen = able.find(({ place: botId }) => activeOf(botId) === fewest);
    if (chosen === undefined) return;
    waiters.splice(waiters.indexOf(chosen), 1);
    // Counted before anything else can ask for a turn.
    chosen.take(begin(chosen.place));
  };

  const begin = (botId: string): (() => void) => {
    taken += 1;
    active.set(botId, activeOf(botId) + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      taken -= 1;
      const left = activeOf(botId) - 1;
      if (left === 0) active.delete(botId);
      else active.set(botId, left);
      next();
    };
  };

  const overloaded = (message: string): QueryFailure =>
    new QueryFailure('QUERY_OVERLOADED', message, { retryAfterS: RETRY_AFTER_S });

  return {
    async take(botId, signal) {
      signal.throwIfAborted();
      if (mayGo(botId)) return begin(botId);
      if (waiters.length >= queue) {
        throw overloaded(`${String(size)} query containers are in use and ${String(queue)} queries wait`);
      }
      if (waiters.filter(({ place }) => place === botId).length >= mostWaitingOfOne) {
        throw overloaded(`${String(mostWaitingOfOne)} queries to this bot wait for a query container`);
      }
      return waitInLine(waiters, botId, signal);
    },
    waiting: () => waiters.length,
  };
};
