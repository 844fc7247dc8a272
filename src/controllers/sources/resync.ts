/**
 * The tick: one container list, one projected read of the specs, and a wake for each bot that differs. It is the net
 * under every other signal (feature B1). Asked for out of turn, it runs once more after the one under way.
 */
import { concatMap, defer, exhaustMap, from, merge, type Observable, Subject, throttleTime, timer } from 'rxjs';
import type { Clock } from '../../ports/clock.ts';
import type { Wake } from '../serial-per-key.ts';
import { schedulerOf } from '../waits.ts';

export interface ResyncSource {
  readonly wakes: Observable<Wake>;
  /** Look at the whole fleet soon: after a reconnect, a drain, a confirmation. */
  ask(): void;
}

/** Asked for more often than this, one resync serves all who asked. */
const COALESCE_MS = 50;

export const createResyncSource = (options: {
  /** Returns the bots to wake; never rejects for one broken document. */
  readonly resync: (tick: number) => Promise<readonly Wake[]>;
  readonly intervalMs: number;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}): ResyncSource => {
  const { resync, intervalMs, onError } = options;
  const scheduler = schedulerOf(options.clock);
  const asked = new Subject<void>();
  let tick = 0;

  const run = defer(async () => {
    tick += 1;
    try {
      return await resync(tick);
    } catch (error) {
      // The next tick tries again: a tick never ends the stream.
      onError(error);
      return [];
    }
  }).pipe(concatMap((wakes) => from(wakes)));

  // exhaustMap drops ticks while one is under way, which is right for ticks; what is asked for must run afterwards.
  const ticks = timer(intervalMs, intervalMs, scheduler).pipe(exhaustMap(() => run));
  const requests = asked.pipe(
    throttleTime(COALESCE_MS, scheduler, { leading: true, trailing: true }),
    concatMap(() => run),
  );
  return {
    wakes: merge(ticks, requests),
    ask: () => {
      asked.next();
    },
  };
};
