/**
 * The log of a schedule as records of its runs and of the slots that did not run: a projection, made when somebody asks.
 * Pure; it takes any part of the log, and what began before that part is left out.
 */
import { logDays } from '../../domain/log-days.ts';
import { runId } from '../../domain/run-id.ts';
import type { ScheduleEvent, Trigger } from '../../domain/schedule-event.ts';
import type { PassedSlots, RunRecord } from '../../domain/scheduled-bot.ts';

export interface FoldedRuns {
  /** In the order of their claims. */
  readonly runs: ReadonlyMap<string, RunRecord>;
  readonly passed: readonly PassedSlots[];
  /** Keys that are listed no more. */
  readonly forgotten: ReadonlySet<string>;
}

interface Claim {
  readonly key: string;
  readonly scheduledAt: number;
  readonly dueAt: number;
  readonly trigger: Trigger;
  readonly actor?: string;
  readonly requestId?: string;
}

const claimed = (scheduleId: string, claim: Claim, at: number): RunRecord => ({
  scheduleId,
  key: claim.key,
  status: 'waiting',
  trigger: claim.trigger,
  scheduledAt: claim.scheduledAt,
  dueAt: claim.dueAt,
  claimedAt: at,
  begunAt: null,
  startedAt: null,
  endedAt: null,
  latenessMs: null,
  late: false,
  writesState: true,
  attempts: 0,
  exitClass: null,
  exitCode: null,
  stopReason: null,
  detail: null,
  actor: claim.actor ?? null,
  requestId: claim.requestId ?? null,
  log: { keys: [], transitions: runId({ scheduleId, key: claim.key }) },
});

type OnRun = Extract<ScheduleEvent, { key: string }>;

const amended = (record: RunRecord, event: OnRun): RunRecord => {
  switch (event.type) {
    case 'RunClaimed':
      return record;
    case 'RunDropped':
      return { ...record, status: 'dropped', endedAt: event.at, detail: event.reason };
    case 'RunBegun':
      return { ...record, status: 'starting', begunAt: event.at, writesState: event.writes };
    case 'RunStarted':
      return {
        ...record,
        status: record.stopReason === null ? 'running' : 'stopping',
        startedAt: event.startedAt,
        latenessMs: event.latenessMs,
        late: event.late,
        attempts: Math.max(record.attempts, 1),
      };
    case 'RunStopRequested':
      return { ...record, status: 'stopping', stopReason: event.reason };
    case 'RunEnded':
      return {
        ...record,
        status: event.outcome,
        endedAt: event.endedAt,
        exitClass: event.exitClass,
        exitCode: event.exitCode,
        attempts: event.attempts,
        detail: event.detail ?? null,
        log: {
          ...record.log,
          keys: record.startedAt === null ? [] : logDays(record.scheduleId, record.startedAt, event.endedAt),
        },
      };
  }
};

export const foldRuns = (scheduleId: string, events: Iterable<ScheduleEvent>): FoldedRuns => {
  const runs = new Map<string, RunRecord>();
  const passed: PassedSlots[] = [];
  const forgotten = new Set<string>();
  for (const event of events) {
    if (event.type === 'SlotsPassed') {
      const { at, from, to, count, reason } = event;
      passed.push({ at, from, to, count, more: event.more === true, reason });
    } else if (event.type === 'RunsForgotten') {
      for (const key of event.keys) forgotten.add(key);
    } else if (event.type === 'BackfillAccepted') {
      const { at, actor, requestId } = event;
      for (const run of event.runs) {
        runs.set(run.key, claimed(scheduleId, { ...run, dueAt: at, trigger: 'backfill', actor, requestId }, at));
      }
    } else if (event.type === 'RunClaimed') {
      // Claimed again after it was dropped: it stands where it was claimed last.
      runs.delete(event.key);
      runs.set(event.key, claimed(scheduleId, event, event.at));
    } else if ('key' in event) {
      const record = runs.get(event.key);
      if (record !== undefined) runs.set(event.key, amended(record, event));
    }
  }
  return { runs, passed, forgotten };
};
