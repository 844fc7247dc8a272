/** Messages as wishes, taken only while this process leads: of several, one writes for all. */
import type { MessageBus, WishConsumer } from '../../ports/message-bus.ts';

export interface WishSource {
  /** Begins to take messages, after those of the term before are settled. */
  start(): void;
  stop(): Promise<void>;
}

export const createWishSource = (bus: MessageBus, consumer: WishConsumer): WishSource => {
  let term: AbortController | undefined;
  let settled: Promise<void> = Promise.resolve();
  return {
    start() {
      const begun = new AbortController();
      term?.abort();
      term = begun;
      settled = settled.then(() => (begun.signal.aborted ? undefined : bus.consume(consumer, begun.signal)));
    },
    async stop() {
      term?.abort();
      await settled;
    },
  };
};
