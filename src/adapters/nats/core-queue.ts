/** What was heard and is not settled yet. Bounded: no server keeps these messages, and neither can we for ever. */
import type { BusMessage } from '../../ports/message-bus.ts';

export interface CoreQueue {
  push(message: BusMessage): void;
  /** The oldest ones, removed. */
  take(): readonly BusMessage[];
  /** How many were dropped since this was asked last: the oldest make room. */
  dropped(): number;
}

export interface CoreQueueBounds {
  readonly messages: number;
  readonly bytes: number;
  readonly batch: number;
}

const BOUNDS: CoreQueueBounds = { messages: 100_000, bytes: 64 * 1024 * 1024, batch: 10_000 };

export const createCoreQueue = (bounds: CoreQueueBounds = BOUNDS): CoreQueue => {
  let waiting: BusMessage[] = [];
  /** Index of the oldest: removing from the front of a long array costs its length. */
  let first = 0;
  let bytes = 0;
  let lost = 0;

  const remove = (count: number): readonly BusMessage[] => {
    const removed = waiting.slice(first, first + count);
    first += removed.length;
    for (const { data } of removed) bytes -= data.length;
    if (first > waiting.length / 2) [waiting, first] = [waiting.slice(first), 0];
    return removed;
  };

  return {
    push: (message) => {
      waiting.push(message);
      bytes += message.data.length;
      while (waiting.length - first > bounds.messages || bytes > bounds.bytes) lost += remove(1).length;
    },
    take: () => remove(bounds.batch),
    dropped: () => {
      const count = lost;
      lost = 0;
      return count;
    },
  };
};
