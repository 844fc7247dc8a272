/** The feed's half of the event store contract: everything once, in order, from any point, while others write. */
import { expect, it } from 'vitest';
import type { Commit } from '../../src/domain/recorded.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { cases } from '../support/full.ts';
import { appendNext, event, newCommit, oneTo, takeFeed } from './commits.ts';
import type { EventStoreFixture } from './event-store-contract.ts';

/** Follows until `until`, aborting at random points and going on from the last commit seen. */
const followWithBreaks = async (store: EventStore, until: number): Promise<readonly Commit[]> => {
  const seen: Commit[] = [];
  while (seen.length < until) {
    const abort = new AbortController();
    let left = Math.ceil(Math.random() * 40);
    for await (const commit of store.feed(seen.at(-1)?.position ?? 0, abort.signal)) {
      seen.push(commit);
      left -= 1;
      if (left === 0 || seen.length >= until) abort.abort();
    }
  }
  return seen;
};

/** Appends of each of four writers: a third of them on the stream that all fight for. */
const EACH = cases(24, 150);

export const eventFeedContract = (fixture: () => EventStoreFixture): void => {
  it('feeds the stored commits, then the new ones, whoever writes them', async () => {
    const { store } = fixture();
    const other = await fixture().another('other');
    for (const version of [0, 1, 2]) await store.append(newCommit('bot:a', version));
    const taken = takeFeed(store, 1, 4);
    await other.append(newCommit('bot:b', 0));
    await store.append(newCommit('bot:a', 3));
    expect((await taken).map((commit) => commit.position)).toEqual([2, 3, 4, 5]);
    expect(await taken).toEqual(await store.readAll(1, 10));
  });

  it('ends promptly when aborted: while it waits, before it begins, and in the middle', async () => {
    const { store } = fixture();
    const waiting = new AbortController();
    const waits = store.feed(0, waiting.signal)[Symbol.asyncIterator]().next();
    setTimeout(() => { waiting.abort(); }, 30); // prettier-ignore
    expect((await waits).done).toBe(true);

    for (const version of oneTo(cases(60, 300)).map((n) => n - 1)) await store.append(newCommit('bot:a', version));
    expect(await takeFeed(store, 0, 7)).toHaveLength(7);
    expect((await store.feed(0, AbortSignal.abort())[Symbol.asyncIterator]().next()).done).toBe(true);
    let count = 0;
    for await (const commit of store.feed(0, new AbortController().signal)) {
      count = commit.position;
      if (count === 5) break;
    }
    expect(count).toBe(5);
  });

  it('has neither gap nor duplicate under concurrent writers, resumed at random points', async () => {
    const { store } = fixture();
    const writers = await Promise.all(oneTo(4).map((n) => fixture().another(`writer-${String(n)}`)));
    const total = 4 * EACH;
    const readers = [store, ...writers.slice(0, 2)].map((reader) => followWithBreaks(reader, total));
    await Promise.all(
      writers.map(async (writer, index) => {
        for (const n of oneTo(EACH)) {
          // Every third on a stream that all four fight for.
          const stream = n % 3 === 0 ? 'bot:shared' : `bot:${String(index)}-${String(n % 5)}`;
          await appendNext(writer, stream, [event({ index, n })], `${String(index)}:${String(n)}`);
        }
      }),
    );
    const stored = await store.readAll(0, total + 1);
    expect(stored.map((commit) => commit.position)).toEqual(oneTo(total));
    for (const seen of await Promise.all(readers)) expect(seen).toEqual(stored);
    const shared = (await store.read('bot:shared')).map((commit) => commit.from);
    expect(shared).toEqual(oneTo((4 * EACH) / 3));
  });
};
