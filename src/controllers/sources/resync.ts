/**
 * The tick: one container list, one projected read of the specs, and a wake for each bot that differs. It is the net
 * under every other signal (feature B1). Asked for out of turn, it runs once more after the one under way.
 */
import {
  concatMap,
  defer,
  exhaustMap,
  filter,
  finalize,
  from,
  merge,
  type Observable,
  Subject,
  tap,
  throttleTime,
  timer,
} from 'rxjs';
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
/** After one that failed: whoever asked for it must not wait for the next tick, which may be an hour off. */
const RETRY_MS = 5_000;

export const createResyncSource = (options: {
  /** Returns the bots to wake; never rejects for one broken document. */
  readonly resync: (tick: number) => Promise<readonly Wake[]>;
  readonly intervalMs: number;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
}): ResyncSource => {
  const { resync, intervalMs, onError, clock } = options;
  const scheduler = schedulerOf(clock);
  const asked = new Subject<void>();
  let tick = 0;
  let cancelRetry: (() => void) | undefined;
  let ended = false;

  const run = defer(async () => {
    tick += 1;
    try {
      return await resync(tick);
    } catch (error) {
      // It is tried again: one that fails never ends the stream.
      onError(error);
      if (ended) return [];
      cancelRetry?.();
      cancelRetry = clock.after(RETRY_MS, () => {
        asked.next();
      });
      return [];
    }
  }).pipe(concatMap((wakes) => from(wakes)));

  // exhaustMap drops ticks while one is under way, which is right for ticks; what is asked for must run afterwards.
  const ticks = timer(intervalMs, intervalMs, scheduler).pipe(exhaustMap(() => run));
  // One that waits serves all who ask until it begins.
  let waits = false;
  const requests = asked.pipe(
    throttleTime(COALESCE_MS, scheduler, { leading: true, trailing: true }),
    filter(() => !waits),
    tap(() => (waits = true)),
    // Called when its turn has come.
    concatMap(() => {
      waits = false;
      return run;
    }),
  );
  return {
    wakes: merge(ticks, requests).pipe(
      finalize(() => {
        ended = true;
        cancelRetry?.();
      }),
    ),
    ask: () => {
      asked.next();
    },
  };
};
