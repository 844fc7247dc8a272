/** A log that cannot be folded: where it breaks, and what is shown of what it belongs to (fault R48). */
import { toDroverError, type DroverError } from '../domain/errors.ts';
import type { Condition } from '../domain/running-bot.ts';

export interface BrokenLog {
  readonly detail: string;
}

/** Only what reading again cannot mend: a store that does not answer says nothing of the log. */
export const isBroken = (error: DroverError): boolean => error.class === 'terminal' || error.code === 'INTERNAL';

export const brokenLog = (thrown: unknown): BrokenLog | undefined => {
  const error = toDroverError(thrown);
  return isBroken(error) ? { detail: error.message } : undefined;
};

export const logCorrupt = ({ detail }: BrokenLog): Condition => ({
  type: 'LogCorrupt',
  status: 'True',
  reason: 'EventIllegal',
  message: `its log cannot be read: ${detail}; drover leaves its container as it is`,
  // The log itself would say since when.
  lastTransitionTime: 0,
});
