/** What the logs of a schedule's runs say by now. */
import type { BotState } from '../../domain/bot-state.ts';
import { runId } from '../../domain/run-id.ts';
import type { DesiredSchedule, RunView } from '../../domain/schedule.ts';
import type { ActiveRun, ScheduleState } from '../../domain/schedule-state.ts';
import { runViewOf } from '../../machines/schedule/run-view.ts';
import type { FoldStore } from '../fold-store.ts';

/** Stopped before anything of it was there, and no document says with what to write even that. */
const neverWas = (run: ActiveRun, at: number): RunView => ({
  end: {
    at,
    succeeded: false,
    stopped: true,
    exitClass: null,
    exitCode: null,
    attempts: 0,
    attempt: run.attempt,
  },
});

/** Of the runs that were begun, by key. @throws DroverError EVENT_ILLEGAL when the log of one cannot be folded */
export const readRunViews = async (
  runs: Pick<FoldStore<BotState>, 'load'>,
  scheduleId: string,
  { context }: ScheduleState,
  desired: DesiredSchedule,
  now: number,
): Promise<ReadonlyMap<string, RunView>> => {
  const begun = context.runs.filter(({ begunAt }) => begunAt !== null);
  const views = begun.map(async (run): Promise<readonly [string, RunView]> => {
    const { state } = await runs.load(runId({ scheduleId, key: run.key }));
    const isUnborn = state.context.incarnation === 0;
    const view = isUnborn && run.stop !== null && desired.kind !== 'spec' ? neverWas(run, now) : runViewOf(state);
    return [run.key, view];
  });
  return new Map(await Promise.all(views));
};
