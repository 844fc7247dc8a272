/** Everything of realtime bots put together on the given ports: their states and their loop. */
import type { SpecDefaults } from '../documents/bot-document.ts';
import type { BotPolicy } from '../domain/policy.ts';
import { BOT_STREAMS } from '../domain/streams.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/container-tools.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { SpecStore } from '../ports/spec-store.ts';
import { createAccessKeeper } from './access-keeper.ts';
import { createBotService, type BotService } from './bot-service.ts';
import { createDesireReader, desiredOfRecord } from './desire.ts';
import { createDiskWatch } from './disk-watch.ts';
import { createReconcileBot } from './reconcile-bot.ts';
import { createRemovalGuard, type FleetGuard } from './removal-guard.ts';
import { createResync } from './resync.ts';
import { createServiceState, type ServiceState } from './service-state.ts';
import { createTombstoneSweeper } from './tombstones.ts';
import { botVolumeOwner, createVolumeSweeper } from './volume-sweeper.ts';

export interface BotsParts {
  readonly events: EventStore;
  readonly specs: SpecStore;
  readonly snapshots: SnapshotStore;
  readonly engine: Engine;
  readonly installId: string;
  readonly policy: BotPolicy;
  readonly defaults: SpecDefaults;
  readonly resyncIntervalMs: number;
  readonly leads: () => boolean;
  /** @throws DroverError LEASE_LOST */
  readonly inTerm: <T>(work: () => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Bots {
  readonly service: BotService;
  readonly states: ServiceState;
  readonly guard: FleetGuard;
  /** Before the first act of a term: a turn must know whether the fleet is drained. */
  prepare(): Promise<void>;
}

export const createBots = (parts: BotsParts): Bots => {
  const { events, specs, snapshots, engine, installId, policy, defaults, resyncIntervalMs, leads, inTerm } = parts;
  const { clock, logger } = parts;
  const now = (): number => clock.now();
  const states = createServiceState({ events, snapshots });
  let drained = false;
  const resyncSoon = (): void => {
    service.resyncSoon();
  };
  const guard = createRemovalGuard({ installId, logger, now, onConfirmed: resyncSoon });
  const reconcile = createReconcileBot({
    events,
    engine,
    states,
    streams: BOT_STREAMS,
    desiredOf: createDesireReader({
      specs,
      decode: (record) => desiredOfRecord(record, defaults, drained),
      allows: guard.allows,
      isWanted: (id) => states.folds().get(id)?.state.context.wanted === true,
      onUnconfirmed: resyncSoon,
    }),
    requestsTaken: (id, requests) =>
      specs.clearRequests(
        id,
        requests.map(({ requestId }) => requestId),
      ),
    diskFree: createDiskWatch(engine, now),
    policyOf: () => policy,
    clock,
    logger,
  });
  const ownerOf = botVolumeOwner(states);
  const sweepVolumes = createVolumeSweeper({ engine, ownerOf, graceMs: policy.volumeGraceMs, clock, logger });
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
      void sweepTombstones(now());
      void sweepVolumes();
      void renewKeys();
    },
  });
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
  return {
    service,
    states,
    guard,
    async prepare() {
      drained = (await specs.readFleet()).drain !== undefined;
    },
  };
};
