/** Everything of realtime bots put together on the given ports: their states and their loop. */
import { BOT_STREAMS } from '../domain/streams.ts';
import type { SpecStore } from '../ports/spec-store.ts';
import { createAccessKeeper } from './access-keeper.ts';
import { createBotService, type BotService } from './bot-service.ts';
import { createDesireReader, desiredOfRecord } from './desire.ts';
import { createDiskWatch } from './disk-watch.ts';
import type { Orphans } from '../ports/orphans.ts';
import { createOrphanKeeper } from './orphan-keeper.ts';
import { createReconcileBot } from './reconcile-bot.ts';
import { createRemovalGuard, type FleetGuard } from './removal-guard.ts';
import { createResync } from './resync.ts';
import type { ServiceParts } from './service-parts.ts';
import { createServiceState, type ServiceState } from './service-state.ts';
import { createTombstoneSweeper } from './tombstones.ts';
import { botVolumeOwner, createVolumeSweeper } from './volume-sweeper.ts';

export interface BotsParts extends ServiceParts {
  readonly specs: SpecStore;
}

export interface Bots {
  readonly service: BotService;
  readonly states: ServiceState;
  readonly guard: FleetGuard;
  readonly orphans: Orphans;
  /** Before the first act of a term: a turn must know whether the fleet is drained. */
  prepare(): Promise<void>;
}

export const createBots = (parts: BotsParts): Bots => {
  const { events, specs, snapshots, engine, installId, policy, defaults, resyncIntervalMs, leads, inTerm } = parts;
  const { troubles, clock, logger } = parts;
  const now = (): number => clock.now();
  const states = createServiceState({ events, snapshots });
  let drained = false;
  const resyncSoon = (): void => {
    service.resyncSoon();
  };
  const recheckAfter = (ms: number): void => void clock.after(ms, resyncSoon);
  const guard = createRemovalGuard({ installId, logger, now, onConfirmed: resyncSoon, recheckAfter });
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
  const isKnown = (id: string): boolean => (states.folds().get(id)?.state.context.incarnation ?? 0) > 0;
  const orphans = createOrphanKeeper({ engine, isKnown, inTerm, clock, logger });
  const resync = createResync({
    engine,
    specs,
    states,
    guard,
    defaults,
    clock,
    logger,
    onOrphans: orphans.saw,
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
    troubles,
    clock,
    logger,
  });
  return {
    service,
    states,
    guard,
    orphans,
    async prepare() {
      drained = (await specs.readFleet()).drain !== undefined;
    },
  };
};
