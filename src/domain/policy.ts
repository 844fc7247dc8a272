/** Settings that decisions are taken with. An argument of `plan`, never read by the machine. */

export interface BotPolicy {
  /** Delay of the first restart, ms; doubles with each failure in a row. */
  readonly backoffFirstMs: number;
  readonly backoffMaxMs: number;
  /** The first delay after a try in which nothing ran, ms; as any other when left out. */
  readonly neverRanFirstMs?: number;
  /** Share of the delay by which it may differ either way, 0 to 1. */
  readonly backoffJitter: number;
  /** Running this long clears the failures in a row, ms. */
  readonly healthyAfterMs: number;
  /** This many crashes within the window end in `failed.exhausted`. */
  readonly maxCrashes: number;
  readonly crashWindowMs: number;
  /** Of a run: no crash of it is ever too old to count. */
  readonly countsAllCrashes?: true;
  /** Longest time in `starting`, ms. */
  readonly startDeadlineMs: number;
  /** Longest time in `stopping` after SIGKILL was due, ms. */
  readonly killDeadlineMs: number;
  /** Wait after a stop or removal that the engine refused, ms. */
  readonly effectRetryMs: number;
  /** First and longest wait after a sync from the volume that failed, ms; doubles in between. */
  readonly syncRetryMs: number;
  readonly syncRetryMaxMs: number;
  /** Below this free share of the disk under the engine nothing starts (fault R32). */
  readonly minDiskFree: number;
  /** Volumes of a deleted bot, and of an earlier incarnation, are kept this long, ms. */
  readonly volumeGraceMs: number;
}

/**
 * The policy without any settings. Operators change the values that are rows of `config-table.ts`; `config.test.ts` checks that
 * both places have the same defaults. The other values have no setting.
 */
export const DEFAULT_POLICY: BotPolicy = {
  backoffFirstMs: 1_000,
  backoffMaxMs: 60_000,
  backoffJitter: 0.1,
  healthyAfterMs: 60_000,
  maxCrashes: 10,
  crashWindowMs: 600_000,
  startDeadlineMs: 120_000,
  killDeadlineMs: 30_000,
  effectRetryMs: 5_000,
  syncRetryMs: 10_000,
  syncRetryMaxMs: 600_000,
  minDiskFree: 0.05,
  volumeGraceMs: 86_400_000,
};
