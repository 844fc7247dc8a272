/** A change stream where the server has them, taken up again for ever; where it has none, that is told once. */
import type { ChangeStreamDocument, Collection, Document } from 'mongodb';
import { pause } from '../common/pause.ts';
import { isUnsupported } from './mongo-error.ts';

export interface CollectionWatch {
  onEvent(event: ChangeStreamDocument): void;
  /** True when it (again) hears everything from now on, false when it does not: anything may have been missed. */
  onState(works: boolean): void;
}

const RETRY_MS = 1_000;
const AT_ONCE_MS = 10;
const EMPTY_PAUSE_MS = 50;
/** A server may learn it (a replica set that is initiated late); nobody waits for that. */
const RETRY_UNSUPPORTED_MS = 60_000;

/** The collection was dropped or renamed: the server closes the cursor, and the driver then answers nothing without waiting. */
const isEnd = ({ operationType }: ChangeStreamDocument): boolean => operationType === 'invalidate';

const followOnce = async <T extends Document>(
  collection: Collection<T>,
  signal: AbortSignal,
  watch: CollectionWatch,
): Promise<void> => {
  const stream = collection.watch([], { fullDocument: 'updateLookup', maxAwaitTimeMS: 1_000 });
  const stop = (): void => void stream.close().catch(() => undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    // The first call opens the cursor: what happens after it is heard.
    let event = await stream.tryNext();
    watch.onState(true);
    while (!signal.aborted) {
      if (event !== null) watch.onEvent(event);
      if (stream.closed || (event !== null && isEnd(event))) throw new Error('the change stream has ended');
      const asked = performance.now();
      event = await stream.tryNext();
      // A server, or a driver, that does not wait for news must not keep everything else from its turn.
      if (event === null && performance.now() - asked < AT_ONCE_MS) await pause(EMPTY_PAUSE_MS, signal);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
};

/** Follows until aborted, in the background. */
export const watchCollection = <T extends Document>(
  collection: Collection<T>,
  signal: AbortSignal,
  watch: CollectionWatch,
): void => {
  const server = { hasWorked: false };
  const noting: CollectionWatch = {
    ...watch,
    onState: (works) => {
      server.hasWorked ||= works;
      watch.onState(works);
    },
  };
  void (async () => {
    for (;;) {
      let retryMs = RETRY_MS;
      try {
        await followOnce(collection, signal, noting);
      } catch (thrown) {
        if (signal.aborted) return;
        // Of a server that had them, an error says only that this stream is over: its history was lost, or its cursor.
        if (!server.hasWorked && isUnsupported(thrown)) retryMs = RETRY_UNSUPPORTED_MS;
        watch.onState(false);
      }
      await pause(retryMs, signal);
      if (signal.aborted) return;
    }
  })();
};
