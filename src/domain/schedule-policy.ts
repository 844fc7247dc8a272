/** How one schedule is kept (features D4–D18). Durations are milliseconds. */

export const OVERLAP_POLICIES = ['forbid', 'allow', 'replace', 'queueOne'] as const;
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number];

export const MISSED_POLICIES = ['last', 'skip', 'all'] as const;
export type MissedPolicy = (typeof MISSED_POLICIES)[number];

export interface SchedulePolicy {
  /** What a slot does while a run goes on (D4). */
  readonly overlap: OverlapPolicy;
  /** Which of the slots that nobody was there for are run later (D5). */
  readonly missed: MissedPolicy;
  /** At most so many of them, the newest, and none older than this. */
  readonly missedCap: number;
  readonly catchUpMs: number;
  /** A slot that could not begin for this long is not run any more (D6). */
  readonly startDeadlineMs?: number;
  /** A run that takes longer is stopped (pitfall 55). */
  readonly maxRunMs?: number;
  /** Tries after the first one that failed, before the next slot (D13). */
  readonly retries: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** Slots are spread over this time, each schedule always by the same share (D10). */
  readonly jitterMs: number;
  /** A run that starts later than this is told as late (D18). */
  readonly maxLatenessMs?: number;
  /** After so many failures in a row it pauses itself; 0: never (D17). */
  readonly pauseAfterFailures: number;
  /** Runs that are listed: the newest of each outcome, and none older (D11). */
  readonly keepSucceeded: number;
  readonly keepFailed: number;
  readonly keepMs: number;
}

/** What a run is decided by from its begin to its end: its tries and its limits of time. */
export type RunTerms = Pick<SchedulePolicy, 'retries' | 'retryFirstMs' | 'retryMaxMs' | 'maxRunMs' | 'maxLatenessMs'>;

export const termsOf = (policy: SchedulePolicy): RunTerms => {
  const { retries, retryFirstMs, retryMaxMs, maxRunMs, maxLatenessMs } = policy;
  return {
    retries,
    retryFirstMs,
    retryMaxMs,
    ...(maxRunMs === undefined ? {} : { maxRunMs }),
    ...(maxLatenessMs === undefined ? {} : { maxLatenessMs }),
  };
};

const DAY_MS = 86_400_000;

export const DEFAULT_SCHEDULE_POLICY: SchedulePolicy = {
  overlap: 'forbid',
  missed: 'last',
  missedCap: 10,
  catchUpMs: DAY_MS,
  retries: 0,
  retryFirstMs: 10_000,
  retryMaxMs: 600_000,
  jitterMs: 0,
  pauseAfterFailures: 0,
  keepSucceeded: 1_000,
  keepFailed: 1_000,
  keepMs: 90 * DAY_MS,
};
