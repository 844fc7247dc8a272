/** (state, logs of the runs' containers) → the next fact about a run, or nothing. */
import type { RunView } from '../../domain/schedule.ts';
import type { RunOutcome, ScheduleEvent } from '../../domain/schedule-event.ts';
import type { ActiveRun, ScheduleState } from '../../domain/schedule-state.ts';

const OUTCOME_OF_STOP = {
  timedOut: 'timedOut',
  replaced: 'replaced',
  nextSlot: 'failed',
  disabled: 'stopped',
  drained: 'stopped',
  deleted: 'stopped',
} as const;

/** One that ended well while it was being stopped ended well. */
const outcomeOf = ({ stop }: ActiveRun, end: NonNullable<RunView['end']>): RunOutcome => {
  if (end.succeeded) return 'succeeded';
  // It waited for another try because the engine had ended it: that is no failure of the run.
  if (stop === 'nextSlot' && end.exitClass === 'engineLost') return 'stopped';
  if (stop !== null) return OUTCOME_OF_STOP[stop];
  return end.stopped ? 'stopped' : 'failed';
};

const senseRun = (
  run: ActiveRun,
  view: RunView,
  at: number,
  maxLatenessMs: number | undefined,
): ScheduleEvent | undefined => {
  const { key } = run;
  const allowedMs = run.terms === undefined ? maxLatenessMs : run.terms.maxLatenessMs;
  const { startedAt, end } = view;
  if (run.startedAt === null && startedAt !== undefined) {
    const latenessMs = Math.max(0, startedAt - run.dueAt);
    return {
      type: 'RunStarted',
      at,
      key,
      startedAt,
      latenessMs,
      late: allowedMs !== undefined && latenessMs > allowedMs,
    };
  }
  if (end === undefined) return undefined;
  const { exitClass, exitCode, attempts, attempt, detail } = end;
  return {
    type: 'RunEnded',
    at,
    key,
    outcome: outcomeOf(run, end),
    exitClass,
    exitCode,
    attempts,
    attempt,
    endedAt: end.at,
    ...(detail === undefined ? {} : { detail }),
    ...(end.unsynced === true ? { unsynced: true } : {}),
  };
};

export const senseRuns = (
  { context }: ScheduleState,
  runs: ReadonlyMap<string, RunView>,
  at: number,
  maxLatenessMs: number | undefined,
): ScheduleEvent | undefined => {
  for (const run of context.runs) {
    const view = run.begunAt === null ? undefined : runs.get(run.key);
    const fact = view === undefined ? undefined : senseRun(run, view, at, maxLatenessMs);
    if (fact !== undefined) return fact;
  }
  return undefined;
};
