/**
 * Follows the log and tells each transition once, in order: to the states, to the counters, and to the line that operators
 * read. It reads the log itself, so a line never says what the log does not hold.
 */
import type { Commit } from '../domain/recorded.ts';
import type { Transition } from '../domain/transition.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Logger } from '../ports/logger.ts';
import { createTransitionFold, type TransitionSeeds } from './transition-fold.ts';
import { pause } from './waits.ts';

export interface TransitionLogOptions {
  readonly events: EventStore;
  /** The states as they are folded up to `after`. */
  readonly seeds: TransitionSeeds;
  /** Takes each commit into the states. */
  readonly apply: (commit: Commit) => void;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Position from which on lines are told. */
  readonly after: number;
  readonly tell: (transition: Transition) => void;
  /** Told of each commit that is folded. */
  readonly onFolded: (position: number) => void;
  readonly signal: AbortSignal;
}

const RETRY_MS = 1_000;

/** Runs until aborted; a feed that breaks is taken up again where it stopped. */
export const followTransitions = async (options: TransitionLogOptions): Promise<void> => {
  const { events, seeds, apply, logger, clock, tell, onFolded, signal } = options;
  const fold = createTransitionFold(logger, seeds);
  let after = options.after;
  while (!signal.aborted) {
    try {
      for await (const commit of events.feed(after, signal)) {
        after = commit.position;
        apply(commit);
        for (const transition of fold(commit)) tell(transition);
        onFolded(after);
      }
    } catch (error) {
      // Aborting ends the feed, and may end it with an error.
      if (options.signal.aborted) return;
      logger.error('event feed failed', { after, error });
      // A commit that cannot be folded is passed over here; its own bot's turn is refused, the others go on.
      onFolded(after);
      await pause(clock, RETRY_MS);
    }
  }
};
