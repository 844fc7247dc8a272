/** Schedules as the API shows them, read off their folds. */
import type { BotState } from '../../domain/bot-state.ts';
import { nextSlot } from '../../domain/cron/next-slot.ts';
import { runId } from '../../domain/run-id.ts';
import type { RunRecord, ScheduledBot } from '../../domain/scheduled-bot.ts';
import type { ActiveRun, ScheduleState } from '../../domain/schedule-state.ts';
import { initialSchedule } from '../../machines/schedule/evolve-schedule.ts';
import { anchored } from '../../machines/schedule/intend-schedule.ts';
import { jitterOf } from '../../machines/schedule/jitter.ts';
import { scheduleConditions } from '../../machines/schedule/schedule-conditions.ts';
import type { Versioned } from '../../machines/snapshot.ts';
import type { ScheduleView } from '../../ports/schedule-view.ts';
import { logCorrupt } from '../broken-log.ts';
import type { FoldStore } from '../fold-store.ts';
import { failureConditions, type TurnFailures } from '../turn-failures.ts';
import { withOwnLog } from './run-history.ts';
import type { ScheduleCounters } from './schedule-counters.ts';

export interface ScheduleViewOptions {
  readonly states: Pick<FoldStore<ScheduleState>, 'folds' | 'broken'>;
  readonly runs: Pick<FoldStore<BotState>, 'folds'>;
  /** When each runs next by itself, as last planned. */
  readonly nextAt: (id: string) => number | undefined;
  readonly counters: ScheduleCounters;
  readonly failures: TurnFailures;
}

const statusOf = ({ begunAt, startedAt, stop }: ActiveRun): RunRecord['status'] => {
  if (begunAt === null) return 'waiting';
  if (stop !== null) return 'stopping';
  return startedAt === null ? 'starting' : 'running';
};

const toRecord = (scheduleId: string, run: ActiveRun): RunRecord => ({
  scheduleId,
  key: run.key,
  status: statusOf(run),
  trigger: run.trigger,
  scheduledAt: run.scheduledAt,
  dueAt: run.dueAt,
  claimedAt: run.claimedAt,
  begunAt: run.begunAt,
  startedAt: run.startedAt,
  endedAt: null,
  latenessMs: run.startedAt === null ? null : Math.max(0, run.startedAt - run.dueAt),
  late: false,
  writesState: run.writes,
  attempts: 0,
  exitClass: null,
  exitCode: null,
  stopReason: run.stop,
  detail: null,
  actor: null,
  requestId: null,
  log: { keys: [], transitions: runId({ scheduleId, key: run.key }) },
});

export const createScheduleView = ({ states, runs, nextAt, counters, failures }: ScheduleViewOptions): ScheduleView => {
  const show = (scheduleId: string, { state, version }: Versioned<ScheduleState>): ScheduledBot => {
    const { context } = state;
    const last = context.ended.at(-1);
    const broken = states.broken().get(scheduleId);
    return {
      scheduleId,
      state: broken === undefined ? state.at : 'unknown',
      wanted: context.wanted,
      generation: context.generation,
      cron: context.cron,
      nextAt: state.at === 'armed' ? (nextAt(scheduleId) ?? null) : null,
      paused: context.paused,
      runs: context.runs.map((run) => withOwnLog(toRecord(scheduleId, run), runs)),
      lastRun: last === undefined ? null : { key: last.key, outcome: last.outcome, endedAt: last.endedAt },
      listed: context.listed,
      failuresInRow: context.failuresInRow,
      conditions: [
        ...scheduleConditions(state),
        ...failureConditions(failures.all().get(scheduleId)),
        ...(broken === undefined ? [] : [logCorrupt(broken)]),
      ],
      version,
    };
  };
  const isKnown = ({ state }: Versioned<ScheduleState>): boolean => state.context.incarnation > 0;
  /** Of one whose log was never folded here. */
  const nothing: Versioned<ScheduleState> = { state: initialSchedule, version: 0 };
  const all = (): (readonly [string, Versioned<ScheduleState>])[] => [
    ...[...states.folds()].filter(([, fold]) => isKnown(fold)),
    ...[...states.broken().keys()].filter((id) => !states.folds().has(id)).map((id) => [id, nothing] as const),
  ];
  return {
    list: () =>
      all()
        .filter(([, fold]) => fold.state.at !== 'deleted')
        .map(([id, fold]) => show(id, fold))
        .sort((a, b) => (a.scheduleId < b.scheduleId ? -1 : 1)),
    get: (id) => {
      const fold = states.folds().get(id) ?? (states.broken().has(id) ? nothing : undefined);
      return fold !== undefined && (isKnown(fold) || states.broken().has(id)) ? show(id, fold) : undefined;
    },
    nextOf: ({ bot: { id }, cron, policy }) => {
      const context = states.folds().get(id)?.state.context;
      if (context === undefined) return undefined;
      const slot = nextSlot(anchored(cron, context), context.cursor);
      return slot === undefined ? undefined : slot + jitterOf(id, policy.jitterMs);
    },
    metrics: () => counters.metrics([...states.folds().values()].map(({ state }) => state)),
  };
};
