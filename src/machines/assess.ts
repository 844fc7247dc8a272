/** What to do after a failure: try again and when, give up, or be content. */
import type { ExitClass, IntentEvent } from '../domain/bot-event.ts';
import type { RestartPolicy } from '../domain/bot.ts';
import type { Assessment, BotContext } from '../domain/bot-state.ts';
import type { BotPolicy } from '../domain/policy.ts';
import { backoffDelay, countedCrashes } from './backoff.ts';

interface Given {
  readonly now: number;
  readonly random: number;
  readonly policy: BotPolicy;
}

/** Ends that are not the bot's own: no restart policy speaks of them. */
const NOT_ITS_OWN: ReadonlySet<ExitClass> = new Set(['stoppedByUs', 'startError', 'engineLost']);

/**
 * The decision after `assessment`. A restart policy that is not known gives up nothing: the document is broken, and an older drover
 * started the bot.
 * Features C2, C3, C4, C12.
 */
export const assess = (
  context: BotContext,
  assessment: Assessment,
  restartPolicy: RestartPolicy | undefined,
  { now, random, policy }: Given,
): IntentEvent => {
  const { exitClass, exitCode, terminal } = assessment;
  const crashes = countedCrashes(policy, context, now);
  const giveUp = (reason: 'terminal' | 'restartPolicy' | 'crashLoop'): IntentEvent => ({
    type: 'GaveUp',
    at: now,
    reason,
    crashes,
    windowMs: policy.crashWindowMs,
  });
  if (terminal) return giveUp('terminal');
  // A container that we stopped ourselves, one that ended with its engine, and one in which the bot never ran say nothing
  // about the bot.
  const ranByItself = exitClass !== null && !NOT_ITS_OWN.has(exitClass);
  if (ranByItself && exitClass === 'completed' && (restartPolicy === 'never' || restartPolicy === 'on-failure')) {
    return { type: 'BotCompleted', at: now, exitCode: exitCode ?? 0 };
  }
  if (ranByItself && restartPolicy === 'never') return giveUp('restartPolicy');
  if (exitClass !== 'engineLost' && crashes >= policy.maxCrashes) return giveUp('crashLoop');
  const ran = exitClass !== null && exitClass !== 'startError';
  const firstMs = ran ? policy.backoffFirstMs : (policy.neverRanFirstMs ?? policy.backoffFirstMs);
  const delayMs = backoffDelay({ ...policy, backoffFirstMs: firstMs }, context.streak, random);
  return { type: 'RetryScheduled', at: now, notBefore: now + delayMs, delayMs, streak: context.streak };
};
