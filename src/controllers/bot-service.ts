/**
 * BotService: wires the sources into one stream of wakes, one bot at a time, and each wake to the reconciler. Starts and
 * stops; nothing else. Stopping it leaves every bot as it is (feature C14).
 */
import { merge, type Subscription } from 'rxjs';
import type { Clock } from '../ports/clock.ts';
import type { ContainerEngine } from '../ports/container-engine.ts';
import type { Logger } from '../ports/logger.ts';
import type { SpecStore } from '../ports/spec-store.ts';
import type { Cause } from '../domain/recorded.ts';
import { toDroverError } from '../domain/errors.ts';
import { serialPerKey } from './serial-per-key.ts';
import type { ServiceState } from './service-state.ts';
import { dockerSource } from './sources/docker.ts';
import { createResyncSource } from './sources/resync.ts';
import { specSource } from './sources/specs.ts';
import { createTimerSource } from './sources/timer.ts';
import type { Wake } from './serial-per-key.ts';

export interface BotServiceDependencies {
  readonly engine: ContainerEngine;
  readonly specs: SpecStore;
  readonly states: ServiceState;
  readonly reconcile: (botId: string, causes: readonly Cause[]) => Promise<number | undefined>;
  readonly resync: (tick: number) => Promise<readonly Wake[]>;
  readonly resyncIntervalMs: number;
  /** Only who leads works; a standby hears everything and does nothing. */
  readonly leads: () => boolean;
  /** Binds a turn to the term it began in. @throws DroverError LEASE_LOST */
  readonly inTerm: <T>(work: () => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface BotService {
  start(): void;
  /** Takes no new wake and waits for the turns under way, at most `withinMs`. Bots are not touched. */
  stop(withinMs: number): Promise<void>;
  /** Look at the whole fleet soon. */
  resyncSoon(): void;
}

/** After a turn that failed as a whole: soon enough to heal, rare enough not to be a hot loop. */
const RETRY_TURN_MS = 5_000;

export const createBotService = (dependencies: BotServiceDependencies): BotService => {
  const { engine, specs, states, reconcile, resync, resyncIntervalMs, leads, inTerm, clock, logger } = dependencies;
  const timers = createTimerSource(clock);
  const resyncs = createResyncSource({
    resync: (tick) => (leads() ? inTerm(() => resync(tick)) : Promise.resolve([])),
    intervalMs: resyncIntervalMs,
    onError: (error) => {
      states.counters.add('failures');
      logger.error('resync failed', { error: toDroverError(error).message });
    },
  });
  const turns = new Set<Promise<void>>();
  let subscription: Subscription | undefined;
  let stopping = false;

  const work = async (botId: string, causes: readonly Cause[]): Promise<void> => {
    if (stopping || !leads()) return;
    const turn = inTerm(() => reconcile(botId, causes)).then((wakeAfterMs) => {
      timers.arm(botId, wakeAfterMs);
    });
    const settled = turn.catch(() => undefined);
    turns.add(settled);
    try {
      await turn;
    } finally {
      turns.delete(settled);
    }
  };

  const onError = (botId: string, thrown: unknown): void => {
    const error = toDroverError(thrown);
    if (error.code === 'LEASE_LOST') {
      logger.debug('turn ended: another process leads', { bot: botId });
      return;
    }
    states.counters.add('failures');
    logger.error('reconcile failed', { bot: botId, code: error.code, detail: error.message, remedy: error.remedy });
    timers.arm(botId, RETRY_TURN_MS);
  };

  return {
    start() {
      const ask = (): void => {
        resyncs.ask();
      };
      subscription = merge(resyncs.wakes, timers.wakes, specSource(specs, ask), dockerSource(engine, logger, ask))
        .pipe(serialPerKey({ work, onError }))
        .subscribe({
          error: (error: unknown) => {
            logger.error('the stream of wakes ended', { error });
          },
        });
      ask();
    },
    async stop(withinMs) {
      stopping = true;
      subscription?.unsubscribe();
      const late = new Promise<void>((resolve) => setTimeout(resolve, withinMs).unref());
      await Promise.race([Promise.all(turns), late]);
    },
    resyncSoon: () => {
      resyncs.ask();
    },
  };
};
