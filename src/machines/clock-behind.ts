/**
 * A clock that was ahead and is corrected. What was noted meanwhile lies in the future, and so does every deadline that was
 * counted from it: a bot would wait for the day that the clock once showed (fault R44).
 */
import type { BotContext } from '../domain/bot-state.ts';

/** Clocks are corrected by seconds all the time: that much is waited for. */
export const CLOCK_TOLERANCE_MS = 60_000;

const HOUR = 3_600_000;
/** Longer than what is waited for after a stop, a removal or a delivery that failed, and after a sync that did. */
const LONGEST_HOLD_MS = HOUR;
const LONGEST_SYNC_WAIT_MS = 24 * HOUR;

/** The latest time that the log has of what happened, or that a wait must have been counted from. */
const newestOf = ({ since, runningSince, lastExit, lastFailure, crashes, holdUntil, storage }: BotContext): number =>
  Math.max(
    since,
    runningSince ?? 0,
    lastExit?.at ?? 0,
    lastFailure?.at ?? 0,
    crashes.at(-1) ?? 0,
    (holdUntil ?? 0) - LONGEST_HOLD_MS,
    (storage?.unsynced?.retryAt ?? 0) - LONGEST_SYNC_WAIT_MS,
  );

/** By how much the clock was set back since the log was written; undefined when it was not, or by less than the tolerance. */
export const clockBehind = (context: BotContext, now: number): number | undefined => {
  const byMs = newestOf(context) - now;
  return byMs > CLOCK_TOLERANCE_MS ? byMs : undefined;
};

/** The context as it were if the clock had been right: nothing happened later than now, and waits are as long as they were. */
export const setBack = (context: BotContext, at: number, byMs: number): Partial<BotContext> => {
  const past = (moment: number): number => Math.min(moment, at);
  const ahead = (moment: number): number => (moment > at ? Math.max(at, moment - byMs) : moment);
  const aheadOrNull = (moment: number | null): number | null => (moment === null ? null : ahead(moment));
  const { runningSince, lastExit, lastFailure, stop, storage } = context;
  const unsynced = storage?.unsynced;
  return {
    since: past(context.since),
    runningSince: runningSince === null ? null : past(runningSince),
    crashes: context.crashes.map(past),
    lastExit: lastExit === null ? null : { ...lastExit, at: past(lastExit.at) },
    lastFailure: lastFailure === null ? null : { ...lastFailure, at: past(lastFailure.at) },
    notBefore: aheadOrNull(context.notBefore),
    holdUntil: aheadOrNull(context.holdUntil),
    deadline: aheadOrNull(context.deadline),
    stop: stop === null ? null : { ...stop, killAt: ahead(stop.killAt) },
    ...(storage === undefined || unsynced === undefined
      ? {}
      : { storage: { ...storage, unsynced: { ...unsynced, retryAt: ahead(unsynced.retryAt) } } }),
  };
};
