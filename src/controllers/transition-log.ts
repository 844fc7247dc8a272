/**
 * Follows the log and tells each transition once, in order: to ServiceState, to the counters, and to the line that
 * operators read. It reads the log itself, so a line never says what the log does not hold.
 */
import type { Transition } from '../domain/transition.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { ServiceState } from './service-state.ts';
import { createTransitionFold } from './transition-source.ts';

export interface TransitionLogOptions {
  readonly events: EventStore;
  readonly states: ServiceState;
  readonly logger: Logger;
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
  const { events, states, logger, tell, onFolded, signal } = options;
  const fold = createTransitionFold(logger, states.folds());
  let after = options.after;
  while (!signal.aborted) {
    try {
      for await (const commit of events.feed(after, signal)) {
        after = commit.position;
        states.apply(commit);
        for (const transition of fold(commit)) {
          states.counters.count(transition);
          tell(transition);
        }
        onFolded(after);
      }
    } catch (error) {
      // Aborting ends the feed, and may end it with an error.
      if (options.signal.aborted) return;
      logger.error('event feed broke', { after, error });
      // A commit that cannot be folded is passed over here; its own bot's turn is refused, the others go on.
      onFolded(after);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
};
