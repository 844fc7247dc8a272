/**
 * Sources into one stream of wakes, one key at a time, and each wake to the reconciler: the same for bots, schedules and runs.
 * Starts and stops; nothing else. Stopping it leaves everything as it is (feature C14).
 */
import { merge, type Observable, type Subscription } from 'rxjs';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Cause } from '../domain/recorded.ts';
import { toDroverError } from '../domain/errors.ts';
import type { TurnFailures } from './turn-failures.ts';
import { serialPerKey, type Wake } from './serial-per-key.ts';
import type { FleetCounters } from './fleet-counters.ts';
import { createResyncSource } from './sources/resync.ts';
import { createTimerSource } from './sources/timer.ts';
import { passOf, tickOf, type LoopKind, type Troubles } from './troubles.ts';
import { atMost, schedulerOf } from './waits.ts';

/** Calls the listener whenever another wake of this key waits for the turn to end; returns how to stop that. */
export type Newer = (listener: () => void) => () => void;

export interface ControlLoopOptions {
  /** What a key is, for the log of this process. */
  readonly what: LoopKind;
  /** Where wakes come from, beside the tick and the timers. `ask`: look at everything soon. */
  readonly sources: (ask: () => void) => readonly Observable<Wake>[];
  /** Resolves with how long to wait for a signal, ms; undefined: until there is one; `asBefore`: nothing was looked at. */
  readonly reconcile: (key: string, causes: readonly Cause[], newer: Newer) => Promise<number | undefined | 'asBefore'>;
  readonly resync: (tick: number) => Promise<readonly Wake[]>;
  readonly resyncIntervalMs: number;
  /** Only who leads works; a standby hears everything and does nothing. */
  readonly leads: () => boolean;
  /** Binds a turn to the term it began in. @throws DroverError LEASE_LOST */
  readonly inTerm: <T>(work: () => Promise<T>) => Promise<T>;
  readonly counters: Pick<FleetCounters, 'add'>;
  readonly troubles: Troubles;
  /** Turns that fail, for what is shown of their keys. */
  readonly failures: TurnFailures;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ControlLoop {
  start(): void;
  /** Takes no new wake and waits for the turns under way, at most `withinMs`. Bots are not touched. */
  stop(withinMs: number): Promise<void>;
  /** Look at everything soon. */
  resyncSoon(): void;
}

/** After a turn that failed as a whole: soon enough to heal, rare enough not to be a hot loop. */
const RETRY_TURN_MS = 5_000;

export const createControlLoop = (options: ControlLoopOptions): ControlLoop => {
  const {
    what,
    sources,
    reconcile,
    resync,
    resyncIntervalMs,
    leads,
    inTerm,
    counters,
    troubles,
    failures,
    clock,
    logger,
  } = options;
  const timers = createTimerSource(clock);
  const resyncs = createResyncSource({
    async resync(tick) {
      const wakes = leads() ? await inTerm(() => resync(tick)) : [];
      troubles.healed(tickOf(what));
      return wakes;
    },
    intervalMs: resyncIntervalMs,
    clock,
    onError: (error) => {
      counters.add('failures');
      troubles.failed(tickOf(what), error);
      logger.error('resync failed', { of: what, error: toDroverError(error).message });
    },
  });
  const turns = new Set<Promise<void>>();
  const listeners = new Map<string, Set<() => void>>();
  let subscription: Subscription | undefined;
  let stopping = false;

  const newerOf =
    (key: string): Newer =>
    (listener) => {
      const of = listeners.get(key) ?? new Set();
      listeners.set(key, of.add(listener));
      return () => {
        of.delete(listener);
        if (of.size === 0) listeners.delete(key);
      };
    };
  const onNewer = (key: string): void => {
    for (const listener of listeners.get(key) ?? []) listener();
  };

  const work = async (key: string, causes: readonly Cause[]): Promise<void> => {
    if (stopping || !leads() || !failures.isDue(key, causes, clock.monotonic())) return;
    const turn = inTerm(() => reconcile(key, causes, newerOf(key))).then((wakeAfterMs) => {
      troubles.healed(passOf(what, key));
      if (wakeAfterMs !== 'asBefore') timers.arm(key, wakeAfterMs);
      const before = failures.succeeded(key);
      if (before !== undefined)
        logger.info('reconcile works again', { [what]: key, code: before.code, failures: before.count });
    });
    const settled = turn.catch(() => undefined);
    turns.add(settled);
    try {
      await turn;
    } finally {
      turns.delete(settled);
    }
  };

  const onError = (key: string, thrown: unknown): void => {
    const error = toDroverError(thrown);
    if (error.code === 'LEASE_LOST') {
      logger.debug('reconcile ended, this process is no longer the leader', { [what]: key });
      // Of a later term of this very process, what the turn was for is still to be done.
      if (leads()) timers.arm(key, RETRY_TURN_MS);
      return;
    }
    counters.add('failures');
    troubles.failed(passOf(what, key), error);
    const { delayMs, isNew } = failures.failed(key, error, clock);
    const fields = { [what]: key, code: error.code, detail: error.message, remedy: error.remedy };
    // Once: that it goes on is a condition.
    if (isNew) logger.error('reconcile failed', fields);
    else logger.debug('reconcile failed again', fields);
    timers.arm(key, delayMs);
  };

  return {
    start() {
      const ask = (): void => {
        resyncs.ask();
      };
      subscription = merge(resyncs.wakes, timers.wakes, ...sources(ask))
        .pipe(serialPerKey({ work, onError, onNewer, scheduler: schedulerOf(clock) }))
        .subscribe({
          error: (error: unknown) => {
            logger.error('stream of triggers ended', { of: what, error });
          },
        });
      ask();
    },
    async stop(withinMs) {
      stopping = true;
      subscription?.unsubscribe();
      await atMost(clock, Promise.all(turns), withinMs);
    },
    resyncSoon: () => {
      resyncs.ask();
    },
  };
};
