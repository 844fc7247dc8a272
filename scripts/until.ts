/** Waits for a fact. The one way in which tests and scripts look again and again. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface UntilOptions {
  /** Milliseconds after which it gives up; generous, because machines are shared. */
  readonly within?: number;
  /** Milliseconds between two looks. */
  readonly every?: number;
  readonly signal?: AbortSignal;
  /** What is said when it gives up: what was waited for, and what was seen instead. */
  readonly otherwise?: () => string | Promise<string>;
}

/**
 * Looks until there is something other than `undefined` and `false`, and resolves with it. What `look` throws is thrown on
 * at once: a look that may fail for a while returns `undefined` then.
 * @throws Error with the text of `otherwise` when nothing came in time; the signal's reason when that is aborted
 */
export const until = async <T>(
  look: () => T | Promise<T>,
  { within = 60_000, every = 20, signal, otherwise = () => 'what was waited for did not come' }: UntilOptions = {},
): Promise<Exclude<Awaited<T>, undefined | false>> => {
  const end = performance.now() + within;
  for (;;) {
    signal?.throwIfAborted();
    const found = await look();
    if (found !== undefined && found !== false) return found as Exclude<Awaited<T>, undefined | false>;
    if (performance.now() > end) throw new Error(`${await otherwise()} (waited ${String(within)} ms)`);
    await sleep(every, undefined, signal === undefined ? {} : { signal });
  }
};
