/** Runs as they were, from the log of their schedule: also long after their containers are gone (feature D12). */
import type { BotState } from '../../domain/bot-state.ts';
import { runId } from '../../domain/run-id.ts';
import type { RunRecord } from '../../domain/scheduled-bot.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { foldRuns, type FoldedRuns } from '../../machines/schedule/fold-runs.ts';
import { runViewOf } from '../../machines/schedule/run-view.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { RunHistory } from '../../ports/schedule-view.ts';
import type { FoldStore } from '../fold-store.ts';
import { readSchedule } from './read-runs.ts';

/** What a run's own log says more: how often it was started by now, and whether it waits for another try. */
export const withOwnLog = (record: RunRecord, runs: Pick<FoldStore<BotState>, 'folds'>): RunRecord => {
  const { scheduleId, key } = record;
  const state = runs.folds().get(runId({ scheduleId, key }))?.state;
  if (state === undefined || record.endedAt !== null) return record;
  const isRetrying = runViewOf(state).retrying === true && record.stopReason === null;
  return { ...record, attempts: state.context.starts, ...(isRetrying ? { status: 'retrying' } : {}) };
};

/** Events of one run seldom lie further apart. */
const PIECE = 1_000;

export interface RunHistoryOptions {
  readonly events: EventStore;
  readonly states: Pick<FoldStore<ScheduleState>, 'load'>;
  readonly runs: Pick<FoldStore<BotState>, 'folds'>;
}

/** The newest `limit`; more when the oldest of them was claimed together with others, so that no page parts those. */
const newest = (found: readonly RunRecord[], limit: number): readonly RunRecord[] => {
  const oldest = found.at(-limit);
  return oldest === undefined ? found : found.filter(({ claimedAt }) => claimedAt >= oldest.claimedAt);
};

export const createRunHistory = ({ events, states, runs }: RunHistoryOptions): RunHistory => {
  /** So much of the end of the log as is enough. */
  const readBack = async (id: string, isEnough: (folded: FoldedRuns) => boolean): Promise<FoldedRuns> => {
    const { version } = await states.load(id);
    for (let piece = PIECE; ; piece *= 4) {
      const from = Math.max(1, version - piece);
      const folded = foldRuns(id, await readSchedule(events, id, from));
      if (from === 1 || isEnough(folded)) return folded;
    }
  };

  return {
    async list(id, { limit, before = Infinity, all }) {
      const chosen = ({ runs: found, forgotten }: FoldedRuns): readonly RunRecord[] =>
        [...found.values()].filter(({ key, claimedAt }) => claimedAt < before && (all || !forgotten.has(key)));
      // One more than asked for: then it is known whether there are older ones.
      const folded = await readBack(id, (part) => chosen(part).length > newest(chosen(part), limit).length);
      const found = chosen(folded);
      const page = newest(found, limit);
      const oldest = page[0]?.claimedAt;
      const more = found.length > page.length && oldest !== undefined;
      const passed = folded.passed.filter(({ at }) => at < before && (!more || at >= oldest));
      return {
        runs: page.map((run) => withOwnLog(run, runs)).reverse(),
        passed: [...passed].reverse(),
        ...(more ? { next: oldest } : {}),
      };
    },
    async get(id, key) {
      const folded = await readBack(id, ({ runs: found }) => found.has(key));
      const record = folded.runs.get(key);
      return record === undefined ? undefined : withOwnLog(record, runs);
    },
  };
};
