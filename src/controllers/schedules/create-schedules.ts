/** Everything of schedules put together on the given ports: their states, their two loops, and what the API reads. */
import type { BotId } from '../../domain/bot.ts';
import type { Commit } from '../../domain/recorded.ts';
import { runId } from '../../domain/run-id.ts';
import type { DesiredSchedule } from '../../domain/schedule.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { RUN_STREAMS, SCHEDULE_STREAMS } from '../../domain/streams.ts';
import type { Transition } from '../../domain/transition.ts';
import { SCHEDULE } from '../../machines/machine.ts';
import type { ScheduleReaders } from '../../ports/schedule-view.ts';
import type { ScheduleStore, SpecStore } from '../../ports/spec-store.ts';
import { createAccessKeeper } from '../access-keeper.ts';
import { createDesireReader } from '../desire.ts';
import { createDiskWatch } from '../disk-watch.ts';
import { createFoldStore, type FoldStore } from '../fold-store.ts';
import type { Orphans } from '../../ports/orphans.ts';
import { createOrphanKeeper } from '../orphan-keeper.ts';
import { createReconcileBot } from '../reconcile-bot.ts';
import { createRemovalGuard, type FleetGuard } from '../removal-guard.ts';
import { createScheduleService, createScheduleWakes, type ScheduleService } from '../schedule-service.ts';
import type { ServiceParts } from '../service-parts.ts';
import { createServiceState } from '../service-state.ts';
import { createTombstoneSweeper } from '../tombstones.ts';
import type { TransitionSeeds } from '../transition-fold.ts';
import { createTurnFailures } from '../turn-failures.ts';
import { createVolumeSweeper } from '../volume-sweeper.ts';
import { createHistoryKeeper } from './history-keeper.ts';
import { createNextExecution } from './next-execution.ts';
import { createReconcileSchedule } from './reconcile-schedule.ts';
import { createRunDesire } from './run-desire.ts';
import { createRunHistory } from './run-history.ts';
import { createRunKeeper } from './run-keeper.ts';
import { createRunSweep } from './run-sweep.ts';
import { createRunWatch } from './run-watch.ts';
import { createScheduleCounters } from './schedule-counters.ts';
import { desiredSchedule } from './schedule-desire.ts';
import { createSchedulePreview } from './schedule-preview.ts';
import { createScheduleSweep } from './schedule-sweep.ts';
import { createScheduleView } from './schedule-view.ts';
import { scheduleVolumeOwner } from './volume-owner.ts';

export interface SchedulesParts extends ServiceParts {
  readonly schedules: ScheduleStore;
  /** Bots win over schedules of the same id (contract §8). */
  readonly bots: Pick<SpecStore, 'read'>;
}

export interface Schedules {
  readonly service: ScheduleService;
  readonly states: FoldStore<ScheduleState>;
  readonly readers: ScheduleReaders;
  readonly guard: FleetGuard;
  readonly orphans: Orphans;
  /** Folds the logs of schedules, and of the runs that they wish. */
  restore(): Promise<void>;
  /** Before the first act of a term: is the fleet drained? */
  prepare(): Promise<void>;
  apply(commit: Commit): void;
  count(transition: Transition): void;
  seeds(): TransitionSeeds;
  saveSnapshots(): Promise<void>;
}

/** Runs that a commit says something of: its own, or those that a schedule says the end of. */
const runsIn = ({ stream, events }: Commit): readonly string[] => {
  const run = RUN_STREAMS.idOf(stream);
  const scheduleId = SCHEDULE_STREAMS.idOf(stream);
  if (run !== undefined) return [run];
  if (scheduleId === undefined) return [];
  return events.flatMap(({ type, data }) =>
    type === 'RunEnded' ? [runId({ scheduleId, key: String(data['key']) })] : [],
  );
};

export const createSchedules = (parts: SchedulesParts): Schedules => {
  const { events, schedules, bots, snapshots, engine, installId, policy, defaults, troubles } = parts;
  const { clock, logger } = parts;
  const { resyncIntervalMs, leads, inTerm } = parts;
  const now = (): number => clock.now();
  const wakes = createScheduleWakes();
  const counters = createScheduleCounters();
  const failures = createTurnFailures();
  const states = createFoldStore({ machine: SCHEDULE, streams: SCHEDULE_STREAMS, events, snapshots });
  const watch = createRunWatch((id, word) => {
    wakes.scheduleOf(id, word);
  });
  const runs = createServiceState({ events, snapshots, streams: RUN_STREAMS, onFolded: watch.onFolded });
  const desireOfRuns = createRunDesire({ schedules, defaults, policy, states, runs });
  const keeper = createRunKeeper({
    states,
    runs,
    onForgotten: (id) => {
      watch.forget(id);
      desireOfRuns.forget(id);
    },
  });
  const resyncSoon = (): void => {
    service.resyncSoon();
  };
  const recheckAfter = (ms: number): void => void clock.after(ms, resyncSoon);
  const guard = createRemovalGuard({ installId, logger, now, onConfirmed: resyncSoon, recheckAfter });
  const dueAt = new Map<BotId, number | undefined>();
  const next = createNextExecution(schedules, logger);
  const keepHistory = createHistoryKeeper({ events, states, clock, logger });
  let drained = false;

  const decode = async (record: Parameters<typeof desiredSchedule>[0]): Promise<DesiredSchedule> => {
    const wish = desiredSchedule(record, defaults, drained);
    if (wish.kind !== 'spec') return wish;
    const bot = (await bots.read(record.id))?.document ?? null;
    if (bot === null) return wish;
    const reason =
      'a realtime bot has this id: a bot and a schedule cannot share one id, because they would share their state';
    return { kind: 'invalid', code: 'BOT_ID_INVALID', reason, enabled: undefined };
  };
  const reconcile = createReconcileSchedule({
    events,
    states,
    runs,
    desiredOf: createDesireReader({
      specs: schedules,
      decode,
      allows: guard.allows,
      isWanted: (id) => states.folds().get(id)?.state.context.wanted === true,
      onUnconfirmed: resyncSoon,
    }),
    requestsTaken: (id, requests) =>
      schedules.clearRequests(
        id,
        requests.map(({ requestId }) => requestId),
      ),
    onRun: (id, { type, key }) => {
      wakes.run(runId({ scheduleId: id, key }), type);
    },
    onPlanned: (id, plan, desired) => {
      dueAt.set(id, plan.nextAt);
      next.planned(id, plan.state, desired, now());
      for (const event of plan.events) {
        if (event.type === 'RunEnded') keeper.tidy(runId({ scheduleId: id, key: event.key }));
      }
    },
    keepHistory,
    counters,
    clock,
  });
  const reconcileRun = createReconcileBot({
    events,
    engine,
    states: runs,
    streams: RUN_STREAMS,
    desiredOf: desireOfRuns.desiredOf,
    requestsTaken: () => Promise.resolve(),
    diskFree: createDiskWatch(engine, now),
    policyOf: desireOfRuns.policyOf,
    permits: keeper.permits,
    clock,
    logger,
  });
  const sweepTombstones = createTombstoneSweeper(schedules, logger);
  const ownerOf = scheduleVolumeOwner({ states, runs });
  const sweepVolumes = createVolumeSweeper({ engine, ownerOf, graceMs: policy.volumeGraceMs, clock, logger });
  const renewKeys = createAccessKeeper({ engine, states: runs, clock, logger });
  const isKnownRun = (id: string): boolean => runs.folds().has(id) || keeper.wished().has(id);
  const orphans = createOrphanKeeper({ engine, isKnown: isKnownRun, inTerm, clock, logger });
  const service = createScheduleService({
    engine,
    schedules,
    wakes,
    resyncIntervalMs,
    leads,
    inTerm,
    troubles,
    clock,
    logger,
    ofSchedules: {
      reconcile,
      counters,
      failures,
      resync: createScheduleSweep({
        schedules,
        states,
        guard,
        defaults,
        dueAt,
        counters,
        clock,
        onRead: ({ drain }) => {
          drained = drain !== undefined;
          void sweepTombstones(now());
          void sweepVolumes();
          void renewKeys();
        },
      }),
    },
    ofRuns: {
      reconcile: async (id, causes, newer) => {
        if (causes.every((cause) => keeper.isEcho(id, cause))) return 'asBefore';
        const wakeAfterMs = await reconcileRun(id, causes, newer);
        keeper.tidy(id);
        return wakeAfterMs;
      },
      counters: runs.counters,
      failures: runs.failures,
      resync: createRunSweep({ engine, runs, keeper, onOrphans: orphans.saw, clock, logger }),
    },
  });

  return {
    service,
    states,
    guard,
    orphans,
    readers: {
      view: createScheduleView({ states, runs, nextAt: next.at, counters, failures }),
      history: createRunHistory({ events, states, runs }),
      preview: createSchedulePreview({ schedules, states, defaults }),
    },
    async restore() {
      await states.restore();
      await keeper.restore();
    },
    async prepare() {
      dueAt.clear();
      drained = (await schedules.readFleet()).drain !== undefined;
    },
    apply(commit) {
      states.apply(commit);
      runs.apply(commit);
      // A standby, too, keeps in mind only what goes on.
      for (const id of runsIn(commit)) keeper.tidy(id);
    },
    count: (transition) => {
      if (transition.kind === 'schedule') counters.count(transition);
      if (transition.kind === 'run') runs.counters.count(transition);
    },
    seeds: () => ({ runs: runs.folds(), schedules: states.folds() }),
    saveSnapshots: () => states.saveSnapshots(),
  };
};
