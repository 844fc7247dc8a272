/** Which runs are listed no more: the oldest beyond the limit of each outcome, and those beyond the age (feature D11). */
import type { RunRecord } from '../../domain/scheduled-bot.ts';
import type { ScheduleEvent } from '../../domain/schedule-event.ts';
import type { SchedulePolicy } from '../../domain/schedule-policy.ts';
import type { FoldedRuns } from './fold-runs.ts';

type Forgotten = Extract<ScheduleEvent, { type: 'RunsForgotten' }>;

const isFailed = ({ status }: RunRecord): boolean => status === 'failed' || status === 'timedOut';
const isSucceeded = ({ status }: RunRecord): boolean => status === 'succeeded';

/** One event keeps a readable size; what is beyond comes with the next. */
const AT_ONCE = 1_000;

const beyond = (runs: readonly RunRecord[], keep: number): readonly RunRecord[] =>
  runs.slice(0, Math.max(0, runs.length - keep));

/** Undefined when all of them stay. Runs that go on stay in any case. */
export const pruneRuns = (
  { runs, forgotten }: FoldedRuns,
  { keepSucceeded, keepFailed, keepMs }: SchedulePolicy,
  now: number,
): Forgotten | undefined => {
  const listed = [...runs.values()].filter(({ key, endedAt }) => endedAt !== null && !forgotten.has(key));
  const gone = new Set([
    ...beyond(listed.filter(isSucceeded), keepSucceeded),
    ...beyond(listed.filter(isFailed), keepFailed),
    ...listed.filter(({ endedAt }) => endedAt !== null && endedAt < now - keepMs),
  ]);
  if (gone.size === 0) return undefined;
  const taken = [...gone].slice(0, AT_ONCE);
  return {
    type: 'RunsForgotten',
    at: now,
    keys: taken.map(({ key }) => key),
    succeeded: taken.filter(isSucceeded).length,
    failed: taken.filter(isFailed).length,
  };
};
