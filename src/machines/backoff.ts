/** How long to wait after failures in a row: first, doubling, capped, ± jitter (feature C3). */
import type { BotPolicy } from '../domain/policy.ts';

/**
 * Delay in ms before the start that follows `streak` failures in a row.
 * `random` in [0, 1) places it within the jitter; the cap holds for the delay before jitter.
 */
export const backoffDelay = (policy: BotPolicy, streak: number, random: number): number => {
  const doublings = Math.min(Math.max(streak - 1, 0), 30);
  const base = Math.min(policy.backoffFirstMs * 2 ** doublings, policy.backoffMaxMs);
  return Math.round(base * (1 + policy.backoffJitter * (2 * random - 1)));
};

/** Crashes that fall within the policy's window before `now`. */
export const crashesInWindow = (policy: BotPolicy, crashes: readonly number[], now: number): number =>
  crashes.filter((at) => at > now - policy.crashWindowMs).length;
