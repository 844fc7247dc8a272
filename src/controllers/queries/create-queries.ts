/** The query plane put together on the given ports: QueryResolver, QueryHandler, and what stands behind them. */
import type { BotState } from '../../domain/bot-state.ts';
import { ownerOf } from '../../domain/run-id.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import type { Transition } from '../../domain/transition.ts';
import type { SpecDefaults } from '../../documents/bot-document.ts';
import type { ArchiveStore } from '../../ports/archive-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { QueryContainers } from '../../ports/query-containers.ts';
import type { QueryProxy } from '../../ports/query-proxy.ts';
import type { ScheduleStore, SpecStore } from '../../ports/spec-store.ts';
import type { FoldStore } from '../fold-store.ts';
import { atMost } from '../waits.ts';
import { createAskResting } from './ask-resting.ts';
import { createAskRunning } from './ask-running.ts';
import { createQueryCounters } from './query-counters.ts';
import { createQueryHandler, type EndingQueryHandler } from './query-handler.ts';
import { SHORT_OF_MEMORY, type QueryPolicy } from './query-policy.ts';
import { createQueryPool } from './query-pool.ts';
import { createQueryResolver } from './query-resolver.ts';

/** What queries need beyond what a drover has anyway. */
export interface QueryParts {
  readonly containers: QueryContainers;
  readonly proxy: QueryProxy;
  readonly policy: QueryPolicy;
}

export interface QueriesOptions extends QueryParts {
  readonly states: Pick<FoldStore<BotState>, 'folds'>;
  readonly scheduleStates: Pick<FoldStore<ScheduleState>, 'folds'>;
  readonly specs: SpecStore;
  readonly schedules: ScheduleStore;
  readonly archives: ArchiveStore;
  readonly defaults: SpecDefaults;
  readonly clock: Clock;
}

export interface Queries {
  readonly handler: EndingQueryHandler;
  /** Something happened to a bot, a run or a schedule. */
  noticed(transition: Transition): void;
  /** The logs are read: from now on queries are routed by what they say. */
  start(): void;
  /** No query is taken any more; those under way have `withinMs`, and the removal of what was made for them two seconds. */
  end(withinMs: number): Promise<void>;
}

const SWEEP_MS = 30_000;
const REMOVE_MS = 2_000;
const MEMORY_LOOK_MS = 5_000;

export const createQueries = (options: QueriesOptions): Queries => {
  const { states, scheduleStates, specs, schedules, archives, defaults, containers, proxy, policy, clock } = options;
  const isShort = (): boolean => (containers.memoryFree() ?? 1) < SHORT_OF_MEMORY;
  const pool = createQueryPool({
    size: policy.containers,
    queue: policy.queue,
    warmTtlMs: policy.warmTtlMs,
    mayKeep: () => !isShort(),
    clock,
  });
  const running = createAskRunning({ containers, proxy, policy, clock });
  const counters = createQueryCounters(pool);
  const resolver = createQueryResolver({ bots: states, schedules: scheduleStates, specs, scheduleSpecs: schedules });
  let isReady = false;
  const handler = createQueryHandler({
    resolver,
    isReady: () => isReady,
    running,
    waitingPerBot: policy.inFlightPerBot,
    resting: createAskResting({
      known: (id) => resolver.known(id),
      specs,
      scheduleSpecs: schedules,
      archives,
      defaults,
      containers,
      pool,
      policy,
    }),
    counters,
    clock,
  });
  const stops: (() => void)[] = [];

  const every = (ms: number, act: () => void): void => {
    let cancel: () => void = () => undefined;
    const next = (): void => {
      cancel = clock.after(ms, () => {
        act();
        next();
      });
    };
    next();
    stops.push(() => {
      cancel();
    });
  };

  return {
    handler,
    noticed({ kind, botId }) {
      // Its state, code or spec may be another one now. That is told also of what changes none of them: a cold start costs little.
      pool.drop(kind === 'run' ? ownerOf(botId) : botId);
      if (kind !== 'bot') return;
      const container = states.folds().get(botId)?.state.context.container;
      running.retain(botId, container == null || container.exited === true ? undefined : container.ref.id);
    },
    start() {
      isReady = true;
      void containers.sweep();
      every(SWEEP_MS, () => void containers.sweep());
      every(MEMORY_LOOK_MS, () => {
        if (isShort()) pool.dropAll();
      });
      stops.push(
        specs.onChange((id) => {
          if (id !== undefined) pool.drop(id);
        }),
        schedules.onChange((id) => {
          if (id !== undefined) pool.drop(id);
        }),
      );
    },
    async end(withinMs) {
      for (const stop of stops) stop();
      await handler.end(withinMs);
      // An engine that does not answer must not hold up the end: what is left ends by itself, and the next sweep takes it away.
      await atMost(clock, pool.close(), REMOVE_MS);
      running.close();
    },
  };
};
