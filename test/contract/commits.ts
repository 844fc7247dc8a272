/** What the event store suites share: commits to write, and retrying as every writer has to. */
import { DroverError } from '../../src/domain/errors.ts';
import type { Commit, NewCommit, StoredEvent } from '../../src/domain/recorded.ts';
import type { EventStore } from '../../src/ports/event-store.ts';

export const event = (data: Readonly<Record<string, unknown>> = {}): StoredEvent => ({
  type: 'Noted',
  schema: 1,
  data,
});

export const newCommit = (
  stream: string,
  expectedVersion: number,
  events: readonly StoredEvent[] = [event()],
  commandId?: string,
): NewCommit => ({
  stream,
  expectedVersion,
  events,
  causes: [{ kind: 'tick', number: expectedVersion }],
  ...(commandId === undefined ? {} : { commandId }),
});

export const codeOf = (thrown: unknown): string | undefined =>
  thrown instanceof DroverError ? thrown.code : undefined;

/** Reads the version and appends, until nobody was faster. */
export const appendNext = async (
  store: EventStore,
  stream: string,
  events: readonly StoredEvent[],
  commandId?: string,
): Promise<Commit> => {
  for (;;) {
    const version = (await store.read(stream)).at(-1)?.to ?? 0;
    try {
      return await store.append(newCommit(stream, version, events, commandId));
    } catch (thrown) {
      if (codeOf(thrown) !== 'VERSION_CONFLICT') throw thrown;
    }
  }
};

/** The next `count` commits of a feed that starts after `after`; the feed is aborted then. */
export const takeFeed = async (store: EventStore, after: number, count: number): Promise<readonly Commit[]> => {
  const abort = new AbortController();
  const taken: Commit[] = [];
  for await (const commit of store.feed(after, abort.signal)) {
    taken.push(commit);
    if (taken.length === count) abort.abort();
  }
  return taken;
};

export const oneTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Writer of the commits that a test puts behind those of writers it has killed. */
export const FENCE = 'fence';
