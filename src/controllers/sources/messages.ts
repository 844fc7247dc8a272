/**
 * Messages as wishes, taken only by who leads: of several processes, one writes for all. While only the store is away the
 * taking goes on and holds what it hears, because what no stream keeps would be lost.
 */
import type { MessageBus, WishConsumer } from '../../ports/message-bus.ts';
import type { Leader } from '../leader.ts';

export interface WishSource {
  /** Begins to take messages, after those of the term before are settled; goes on where it never stopped. */
  start(): void;
  stop(): Promise<void>;
}

export const createWishSource = (bus: MessageBus, taker: WishConsumer, inTerm: Leader['inTerm']): WishSource => {
  // Each batch belongs to the term in which it is taken.
  const consumer: WishConsumer = {
    reads: taker.reads,
    startsAtNow: () => taker.startsAtNow(),
    onMessages: async (messages) => inTerm(() => taker.onMessages(messages)),
  };
  let term: AbortController | undefined;
  let settled: Promise<void> = Promise.resolve();
  return {
    start() {
      if (term?.signal.aborted === false) return;
      const begun = new AbortController();
      term = begun;
      settled = settled.then(() => (begun.signal.aborted ? undefined : bus.consume(consumer, begun.signal)));
    },
    async stop() {
      term?.abort();
      await settled;
    },
  };
};
