/**
 * Turns that fail: how often, since when, and when the next try is due. What fails for good is tried ever more rarely, logged once,
 * and shown as a condition, instead of filling the log every few seconds.
 */
import type { DroverError, ErrorCode } from '../domain/errors.ts';
import type { Cause } from '../domain/recorded.ts';
import type { Condition } from '../domain/running-bot.ts';
import { camelCode } from '../machines/reason.ts';

export interface TurnFailure {
  readonly code: ErrorCode;
  readonly detail: string;
  /** How many turns in a row. */
  readonly count: number;
  /** Epoch ms. */
  readonly since: number;
  /** By the monotonic clock; wakes that say nothing new wait until then. */
  readonly retryAt: number;
}

export interface TurnFailures {
  /** A turn failed. `isNew`: nothing like it was logged before. */
  failed(key: string, error: DroverError, clock: FailureClock): { readonly delayMs: number; readonly isNew: boolean };
  /** A turn ended well. Returns what had failed before. */
  succeeded(key: string): TurnFailure | undefined;
  /** Is it time for a turn with these causes? A tick alone does not hurry what fails for good. */
  isDue(key: string, causes: readonly Cause[], monotonic: number): boolean;
  all(): ReadonlyMap<string, TurnFailure>;
}

export interface FailureClock {
  now(): number;
  monotonic(): number;
  random(): number;
}

const FIRST_MS = 5_000;
const LONGEST_MS = 300_000;
const JITTER = 0.2;

/** The same input gives the same failure: only a change of the log, the document or the program mends it. */
const isLasting = (error: DroverError): boolean => error.class === 'terminal' || error.code === 'INTERNAL';

export const createTurnFailures = (): TurnFailures => {
  const known = new Map<string, TurnFailure>();
  return {
    failed(key, error, clock) {
      const before = known.get(key);
      const isSame = before?.code === error.code && before.detail === error.message;
      const count = isSame ? before.count + 1 : 1;
      const base = isLasting(error) ? Math.min(FIRST_MS * 2 ** Math.min(count - 1, 20), LONGEST_MS) : FIRST_MS;
      const delayMs = Math.round(base * (1 + JITTER * (2 * clock.random() - 1)));
      known.set(key, {
        code: error.code,
        detail: error.message,
        count,
        since: isSame ? before.since : clock.now(),
        retryAt: isLasting(error) ? clock.monotonic() + delayMs : 0,
      });
      return { delayMs, isNew: !isSame };
    },
    succeeded(key) {
      const before = known.get(key);
      known.delete(key);
      return before;
    },
    isDue(key, causes, monotonic) {
      const retryAt = known.get(key)?.retryAt ?? 0;
      return retryAt <= monotonic || causes.some(({ kind }) => kind !== 'tick');
    },
    all: () => known,
  };
};

/** What the conditions say of it; none while all is well. */
export const failureConditions = (failure: TurnFailure | undefined): readonly Condition[] => {
  if (failure === undefined) return [];
  const { code, detail, count, since } = failure;
  const times = count === 1 ? 'once' : `${String(count)} times in a row`;
  const message = `${detail}; failed ${times} since ${new Date(since).toISOString()}`;
  return [{ type: 'ReconcileFailing', status: 'True', reason: camelCode(code), message, lastTransitionTime: since }];
};
