/** Whose a volume of schedules is: that of a schedule goes with it, that of a single run once nothing of it is left to do. */
import type { BotState } from '../../domain/bot-state.ts';
import { ownerOf, runId } from '../../domain/run-id.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { isRunOver } from '../../machines/schedule/run-view.ts';
import type { ListedVolume } from '../../ports/container-tools.ts';
import type { FoldStore } from '../fold-store.ts';
import type { VolumeOwner } from '../volume-sweeper.ts';

export interface ScheduleVolumes {
  readonly states: Pick<FoldStore<ScheduleState>, 'folds'>;
  readonly runs: Pick<FoldStore<BotState>, 'folds' | 'load' | 'evict'>;
}

/** Long ago: a run's own volume holds nothing that is not stored by then, so it need not wait. */
const AT_ONCE = 0;

export const scheduleVolumeOwner =
  ({ states, runs }: ScheduleVolumes) =>
  async ({ botId: scheduleId, run, incarnation }: ListedVolume): Promise<VolumeOwner | undefined> => {
    const state = states.folds().get(scheduleId)?.state;
    if (state === undefined) return undefined;
    const { context } = state;
    if (run !== undefined) {
      if (context.runs.some(({ key }) => key === run)) return { incarnation, overSince: undefined };
      const id = runId({ scheduleId, key: run });
      const { state: own, version } = await runs.load(id);
      // Kept in mind from now on when it is not over: its next turn stores what it left.
      if (version === 0) runs.evict(id);
      return version === 0 ? undefined : { incarnation, overSince: isRunOver(own) ? AT_ONCE : undefined };
    }
    const hasRuns = [...runs.folds().keys()].some((id) => ownerOf(id) === scheduleId);
    return {
      incarnation: context.incarnation,
      overSince: state.at === 'deleted' && !hasRuns ? context.since : undefined,
    };
  };
