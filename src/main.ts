/** The composition root: adapters → stores → services → start, and the drain of its own work on SIGTERM. */
import { randomUUID } from 'node:crypto';
import { createBotService } from './controllers/bot-service.ts';
import { createDesireReader } from './controllers/desire.ts';
import { createReconcileBot } from './controllers/reconcile-bot.ts';
import { createRemovalGuard } from './controllers/removal-guard.ts';
import { createResync } from './controllers/resync.ts';
import { createServiceState, type ServiceState } from './controllers/service-state.ts';
import { followTransitions } from './controllers/transition-log.ts';
import { createTransitionSource } from './controllers/transition-source.ts';
import type { SpecDefaults } from './documents/bot-document.ts';
import { toDroverError } from './domain/errors.ts';
import type { BotPolicy } from './domain/policy.ts';
import type { Transition } from './domain/transition.ts';
import type { Clock } from './ports/clock.ts';
import type { ContainerEngine } from './ports/container-engine.ts';
import type { EventStore } from './ports/event-store.ts';
import type { Readiness, RemovalGuard, TransitionSource } from './ports/fleet-view.ts';
import type { Logger } from './ports/logger.ts';
import type { SnapshotStore } from './ports/snapshot-store.ts';
import type { SpecStore } from './ports/spec-store.ts';

export interface DroverParts {
  readonly events: EventStore;
  readonly specs: SpecStore;
  readonly snapshots: SnapshotStore;
  readonly engine: ContainerEngine;
  readonly policy: BotPolicy;
  readonly defaults: SpecDefaults;
  readonly resyncIntervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told each transition once, in the order of the log. */
  readonly tell: (transition: Transition) => void;
}

export interface Drover {
  readonly states: ServiceState;
  readonly transitions: TransitionSource;
  readonly guard: RemovalGuard;
  readonly readiness: () => Promise<readonly Readiness[]>;
  /** Folds the log, then listens. */
  start(): Promise<void>;
  /** Ends its own work within `withinMs`; bots are not touched. */
  stop(withinMs: number): Promise<void>;
}

const probe = async (name: string, look: () => Promise<unknown>): Promise<Readiness> => {
  try {
    await look();
    return { name, ok: true, detail: 'answers' };
  } catch (error) {
    return { name, ok: false, detail: toDroverError(error).message };
  }
};

/** BotService on the given ports. The stores and the engine belong to the caller, who closes them after `stop`. */
export const createDrover = async (parts: DroverParts): Promise<Drover> => {
  const { events, specs, snapshots, engine, policy, defaults, resyncIntervalMs, clock, logger, tell } = parts;
  const states = createServiceState({ events, snapshots });
  const transitions = createTransitionSource(events, logger);
  let drained = false;
  const guard = createRemovalGuard({
    installId: await specs.installId(),
    logger,
    now: () => clock.now(),
    onConfirmed: () => {
      service.resyncSoon();
    },
  });
  const reconcile = createReconcileBot({
    events,
    engine,
    states,
    desiredOf: createDesireReader({
      specs,
      defaults,
      allows: guard.allows,
      drained: () => drained,
      isWanted: (id) => states.folds().get(id)?.state.context.wanted === true,
    }),
    requestsTaken: (id, requests) =>
      specs.clearRequests(
        id,
        requests.map(({ requestId }) => requestId),
      ),
    policy,
    clock,
    logger,
  });
  const resync = createResync({
    engine,
    specs,
    states,
    guard,
    defaults,
    clock,
    logger,
    onRead: ({ drain }) => {
      drained = drain !== undefined;
    },
  });
  const service = createBotService({ engine, specs, states, reconcile, resync, resyncIntervalMs, clock, logger });
  const following = new AbortController();
  let followed: Promise<void> = Promise.resolve();
  let started = false;

  return {
    states,
    transitions,
    guard,
    readiness: () =>
      Promise.all([
        probe('event-store', () => events.head()),
        probe('spec-store', () => specs.installId()),
        probe('engine', () => engine.ping()),
        Promise.resolve({ name: 'bot-service', ok: started, detail: started ? 'listens' : 'folds its log' }),
      ]),
    async start() {
      const after = await events.head();
      await states.restore();
      // Before the first wake: a turn must know whether the fleet is drained.
      drained = (await specs.readFleet()).drain !== undefined;
      followed = followTransitions({ events, states, logger, after, tell, signal: following.signal });
      const known = states.list().filter(({ containerId }) => containerId !== null);
      for (const bot of known) logger.info('bot taken over', { bot: bot.botId, container: bot.containerId });
      service.start();
      started = true;
    },
    async stop(withinMs) {
      await service.stop(withinMs);
      following.abort();
      await followed;
      await states.saveSnapshots();
    },
  };
};

/** A fresh id for a request or a commit. */
export const mintId = (): string => randomUUID();
