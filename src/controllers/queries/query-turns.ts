/**
 * Turns at something of which there is little, with a bounded queue before them (feature F4). Shared out by bot: whoever has the
 * fewest is next, and no bot has all of them or more than half of the queue, so that one that hangs does not shut out the others.
 */
import { QueryFailure } from '../../domain/query.ts';

export interface TurnsOptions {
  readonly size: number;
  readonly queue: number;
}

export interface Turns {
  /** The result ends the turn; once. @throws QueryFailure QUERY_OVERLOADED; the signal's reason */
  take(botId: string, signal: AbortSignal): Promise<() => void>;
  waiting(): number;
}

interface Waiter {
  readonly botId: string;
  readonly go: () => void;
}

const RETRY_AFTER_S = 2;

export const createTurns = ({ size, queue }: TurnsOptions): Turns => {
  const mostOfOne = Math.max(1, size - 1);
  const mostWaitingOfOne = Math.ceil(queue / 2);
  const active = new Map<string, number>();
  const waiters: Waiter[] = [];
  let taken = 0;

  const activeOf = (botId: string): number => active.get(botId) ?? 0;
  const mayGo = (botId: string): boolean => taken < size && activeOf(botId) < mostOfOne;

  const next = (): void => {
    const able = waiters.filter(({ botId }) => mayGo(botId));
    const fewest = Math.min(...able.map(({ botId }) => activeOf(botId)));
    const chosen = able.find(({ botId }) => activeOf(botId) === fewest);
    if (chosen === undefined) return;
    waiters.splice(waiters.indexOf(chosen), 1);
    chosen.go();
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
      if (waiters.filter((waiter) => waiter.botId === botId).length >= mostWaitingOfOne) {
        throw overloaded(`${String(mostWaitingOfOne)} queries to this bot wait for a query container`);
      }
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          waiters.splice(waiters.indexOf(waiter), 1);
          reject(signal.reason as Error);
        };
        const waiter: Waiter = {
          botId,
          go: () => {
            signal.removeEventListener('abort', leave);
            resolve(begin(botId));
          },
        };
        waiters.push(waiter);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    waiting: () => waiters.length,
  };
};
