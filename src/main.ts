/** The composition root: adapters → stores → services → start, and the drain of its own work on SIGTERM. */
import { randomUUID } from 'node:crypto';
import { createAccessKeeper } from './controllers/access-keeper.ts';
import { createBotService } from './controllers/bot-service.ts';
import { createDesireReader } from './controllers/desire.ts';
import { createDiskWatch } from './controllers/disk-watch.ts';
import { createFence, type Fence } from './controllers/fence.ts';
import { createLeader } from './controllers/leader.ts';
import { createReconcileBot } from './controllers/reconcile-bot.ts';
import { createReadiness } from './controllers/readiness.ts';
import { createRemovalGuard, onlyLeading } from './controllers/removal-guard.ts';
import { createResync } from './controllers/resync.ts';
import { createServiceState, type ServiceState } from './controllers/service-state.ts';
import { createStateSnapshots } from './controllers/state-snapshots.ts';
import { createTakeover } from './controllers/takeover.ts';
import { createTombstoneSweeper } from './controllers/tombstones.ts';
import { createVolumeSweeper } from './controllers/volume-sweeper.ts';
import { followTransitions } from './controllers/transition-log.ts';
import { createTransitionSource } from './controllers/transition-source.ts';
import { createWishSource } from './controllers/sources/messages.ts';
import { createWishIntake } from './controllers/wish-intake.ts';
import { botWishes } from './controllers/wish-kinds.ts';
import type { SpecDefaults } from './documents/bot-document.ts';
import type { BotPolicy } from './domain/policy.ts';
import type { Transition } from './domain/transition.ts';
import { transitionsSubject } from './domain/transitions-subject.ts';
import type { Clock } from './ports/clock.ts';
import type { ArchiveStore } from './ports/archive-store.ts';
import type { Engine } from './ports/container-tools.ts';
import type { DeadLetterStore } from './ports/dead-letter-store.ts';
import type { EventStore } from './ports/event-store.ts';
import type { Predecessor, Takeover } from './ports/predecessor.ts';
import type { Readiness, RemovalGuard, TransitionSource } from './ports/fleet-view.ts';
import type { Leadership } from './ports/leadership.ts';
import type { Logger } from './ports/logger.ts';
import type { MessageBus } from './ports/message-bus.ts';
import type { SnapshotStore } from './ports/snapshot-store.ts';
import type { SpecStore } from './ports/spec-store.ts';
import type { StateSnapshots } from './ports/state-snapshots.ts';

export interface DroverParts {
  readonly events: EventStore;
  readonly specs: SpecStore;
  readonly snapshots: SnapshotStore;
  readonly deadLetters: DeadLetterStore;
  readonly archives: ArchiveStore;
  /** Which of several processes acts. */
  readonly leadership: Leadership;
  /** The one that the engine asks too. */
  readonly fence?: Fence;
  /** Absent: wishes come through the API and the spec store alone. */
  readonly bus?: MessageBus | undefined;
  readonly engine: Engine;
  readonly predecessor: Predecessor;
  readonly policy: BotPolicy;
  readonly defaults: SpecDefaults;
  readonly resyncIntervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told each transition once, in the order of the log. */
  readonly tell: (transition: Transition) => void;
}

/** For adapters that act. */
export { createFence, type Fence } from './controllers/fence.ts';

export interface Drover {
  readonly states: ServiceState;
  readonly transitions: TransitionSource;
  readonly guard: RemovalGuard;
  readonly takeover: Takeover;
  readonly stateSnapshots: StateSnapshots;
  readonly readiness: () => Promise<readonly Readiness[]>;
  /** Folds the log, then listens. */
  start(): Promise<void>;
  /** Ends its own work within `withinMs`; bots are not touched. */
  stop(withinMs: number): Promise<void>;
}

const RELEASE_MS = 1_500;

/** Waits for it, but not for ever. Never rejects: what is left undone at the end is only a cache or a courtesy. */
const atMost = async (work: Promise<unknown>, ms: number): Promise<void> => {
  const late = new Promise<void>((resolve) => setTimeout(resolve, ms).unref());
  await Promise.race([work.catch(() => undefined), late]);
};

/** BotService on the given ports. The stores and the engine belong to the caller, who closes them after `stop`. */
export const createDrover = async (parts: DroverParts): Promise<Drover> => {
  const { events, specs, snapshots, engine, leadership, policy, defaults, resyncIntervalMs, clock, logger, tell } =
    parts;
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
      onUnconfirmed: () => {
        service.resyncSoon();
      },
    }),
    requestsTaken: (id, requests) =>
      specs.clearRequests(
        id,
        requests.map(({ requestId }) => requestId),
      ),
    diskFree: createDiskWatch(engine, () => clock.now()),
    policy,
    clock,
    logger,
  });
  const sweepVolumes = createVolumeSweeper({ engine, states, graceMs: policy.volumeGraceMs, clock, logger });
  const renewKeys = createAccessKeeper({ engine, states, clock, logger });
  const sweepTombstones = createTombstoneSweeper(specs, logger);
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
      void sweepTombstones(clock.now());
      void sweepVolumes();
      void renewKeys();
    },
  });
  const bus = parts.bus;
  let folded = 0;
  const leader = createLeader({
    leadership,
    fence: parts.fence ?? createFence(leadership),
    logger,
    head: () => events.head(),
    folded: () => folded,
    // Before the first wake: a turn must know whether the fleet is drained.
    prepare: async () => {
      drained = (await specs.readFleet()).drain !== undefined;
    },
    onLead: () => {
      const known = states.list().filter(({ containerId }) => containerId !== null);
      for (const bot of known) logger.info('bot taken over', { bot: bot.botId, container: bot.containerId });
      service.resyncSoon();
      wishes?.start();
    },
    onSuperseded: () => {
      void wishes?.stop();
    },
  });
  const { leads, mayAct, inTerm } = leader;
  const intake = createWishIntake({ kind: botWishes, specs, deadLetters: parts.deadLetters, logger, mintId, mayAct });
  const wishes = bus === undefined ? undefined : createWishSource(bus, intake);
  const service = createBotService({
    engine,
    specs,
    states,
    reconcile,
    resync,
    resyncIntervalMs,
    leads,
    inTerm,
    clock,
    logger,
  });
  /** Facts for whoever listens; of several processes one says them, and what nobody heard is in the log. */
  const tellAll = (transition: Transition): void => {
    tell(transition);
    if (bus !== undefined && leads()) bus.publish(transitionsSubject(transition.botId), JSON.stringify(transition));
  };
  const following = new AbortController();
  let followed: Promise<void> = Promise.resolve();
  let started = false;
  const { archives } = parts;

  return {
    states,
    transitions,
    guard: onlyLeading(guard, leader, leadership),
    stateSnapshots: createStateSnapshots({ engine, states, specs, mayAct }),
    takeover: createTakeover({
      predecessor: parts.predecessor,
      specs,
      mayAct,
      logger,
      onTaken: () => {
        service.resyncSoon();
      },
    }),
    readiness: createReadiness({ events, specs, archives, engine, leadership, bus, leads, started: () => started }),
    async start() {
      folded = await events.head();
      await states.restore();
      const onFolded = (position: number): void => {
        folded = position;
      };
      const { signal } = following;
      followed = followTransitions({ events, states, logger, after: folded, tell: tellAll, onFolded, signal });
      service.start();
      leader.start();
      started = true;
    },
    async stop(withinMs) {
      const taken = wishes?.stop();
      await service.stop(withinMs);
      // A store that is away must not hold up the end: then the lease runs out by itself.
      await atMost(Promise.all([taken, leader.stop()]), RELEASE_MS);
      following.abort();
      await atMost(
        followed.then(() => states.saveSnapshots()),
        RELEASE_MS,
      );
    },
  };
};

/** A fresh id for a request or a commit. */
export const mintId = (): string => randomUUID();
