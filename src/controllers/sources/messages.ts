/**
 * Messages as wishes, taken only by who leads: of several processes, one writes for all. While only the store is away the
 * taking goes on and holds what it hears, because what no stream keeps would be lost.
 */
import type { MessageBus, WishConsumer } from '../../ports/message-bus.ts';

export interface WishSource {
  /** Begins to take messages, after those of the term before are settled; goes on where it never stopped. */
  start(): void;
  stop(): Promise<void>;
}

/** For consumers that read different messages, side by side. */
export const createWishSource = (bus: MessageBus, ...consumers: readonly WishConsumer[]): WishSource => {
  let term: AbortController | undefined;
  let settled: Promise<void> = Promise.resolve();
  return {
    start() {
      if (term?.signal.aborted === false) return;
      const begun = new AbortController();
      term = begun;
      settled = settled.then(async () => {
        if (begun.signal.aborted) return;
        await Promise.all(consumers.map((consumer) => bus.consume(consumer, begun.signal)));
      });
    },
    async stop() {
      term?.abort();
      await settled;
    },
  };
};
