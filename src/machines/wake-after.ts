/** When to look again without a signal: the nearest of the deadlines that the state holds as data. */
import type { BotContext, BotState } from '../domain/bot-state.ts';
import type { Circumstances } from './intend.ts';

/** While the engine is at work on a removal there may be no signal to wait for. */
const REMOVAL_LOOK_MS = 1_000;
/** One look that failed says little about the next; the end of a whole outage wakes every bot anyway. */
const BLIND_LOOK_MS = 10_000;
/** A start is followed closely until its runtime said where its state came from; after that the tick's samples do. */
const FIRST_REPORT_MS = 1_000;
const FIRST_REPORT_WITHIN_MS = 60_000;

/** Nothing is known yet of this very container's state. */
const isUntold = ({ container, storage }: BotContext): boolean =>
  storage?.restoredBy !== container?.ref.id || storage?.state.status === 'unknown';

export const wakeAfter = (
  { at, context }: BotState,
  { observation, now, policy }: Circumstances,
): number | undefined => {
  const atRest = at === 'stopped' || at === 'failed.exhausted' || at === 'deleted';
  const moments: (number | null)[] = [context.holdUntil, atRest ? (context.storage?.unsynced?.retryAt ?? null) : null];
  switch (at) {
    case 'starting':
      moments.push(context.deadline);
      break;
    case 'running':
      // A run tells it all at its end.
      if (
        context.firstStartedAt === undefined &&
        isUntold(context) &&
        now - (context.runningSince ?? now) < FIRST_REPORT_WITHIN_MS
      ) {
        moments.push(now + FIRST_REPORT_MS);
      }
      if (!context.healthy) moments.push((context.runningSince ?? now) + policy.healthyAfterMs);
      break;
    case 'stopping':
      moments.push(context.deadline);
      if (context.stop?.killSent === false) moments.push(context.stop.killAt);
      break;
    case 'failed.backingOff':
      moments.push(context.notBefore);
      break;
    case 'stopped':
    case 'failed.exhausted':
    case 'deleted':
      break;
  }
  if (observation.kind === 'present' && observation.container.status === 'removing')
    moments.push(now + REMOVAL_LOOK_MS);
  if (observation.kind === 'unknown') moments.push(now + BLIND_LOOK_MS);
  const ahead = moments.filter((moment): moment is number => moment !== null && moment > now);
  return ahead.length === 0 ? undefined : Math.min(...ahead) - now;
};
