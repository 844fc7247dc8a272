/** How long to wait after failures in a row: first, doubling, capped, ± jitter (feature C3). */
import type { BotContext } from '../domain/bot-state.ts';
import type { BotPolicy } from '../domain/policy.ts';

/** Whatever the settings say: a bot that fails at once must not keep the host busy. */
const LEAST_MS = 100;

/**
 * Delay in ms before the start that follows `streak` failures in a row.
 * `random` in [0, 1) places it within the jitter; the cap holds for the delay before jitter.
 */
export const backoffDelay = (policy: BotPolicy, streak: number, random: number): number => {
  const doublings = Math.min(Math.max(streak - 1, 0), 30);
  const base = Math.min(policy.backoffFirstMs * 2 ** doublings, policy.backoffMaxMs);
  return Math.max(LEAST_MS, Math.round(base * (1 + policy.backoffJitter * (2 * random - 1))));
};

/** Crashes that count: those within the policy's window before `now`, or all. */
export const countedCrashes = (
  policy: BotPolicy,
  { crashes, earlierCrashes = 0 }: Pick<BotContext, 'crashes' | 'earlierCrashes'>,
  now: number,
): number =>
  policy.countsAllCrashes === true
    ? crashes.length + earlierCrashes
    : crashes.filter((at) => at > now - policy.crashWindowMs).length;
