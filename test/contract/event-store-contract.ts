/** What every event store must do. An adapter runs it by handing in how to open a fresh store. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commitHash } from '../../src/domain/commit-hash.ts';
import { DroverError } from '../../src/domain/errors.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { codeOf, event, newCommit, oneTo } from './commits.ts';
import { cases } from '../support/full.ts';
import { eventFeedContract } from './event-feed-contract.ts';

export interface EventStoreFixture {
  readonly store: EventStore;
  /** A further handle on the same log, as another writer; with servers, as another process would hold it. */
  another(writer: string): Promise<EventStore>;
  close(): Promise<void>;
}

/** Of a stream that twenty fight for. */
const VERSIONS = cases(5, 10);

export const eventStoreContract = (name: string, open: () => Promise<EventStoreFixture>): void => {
  describe(`event store contract: ${name}`, () => {
    let fixture: EventStoreFixture;
    let store: EventStore;
    beforeEach(async () => {
      fixture = await open();
      store = fixture.store;
    });
    afterEach(() => fixture.close());

    it('is empty at first', async () => {
      expect(await store.head()).toBe(0);
      expect(await store.read('bot:a')).toEqual([]);
      expect(await store.readAll(0, 10)).toEqual([]);
      expect(await store.streams()).toEqual(new Map());
    });

    it('appends on the expected version and reads back what the append returned', async () => {
      const first = await store.append(
        newCommit('bot:a', 0, [event({ n: 1 }), event({ n: 2, text: 'ü\u0000"' })], 'c1'),
      );
      const second = await store.append(newCommit('bot:a', 2));
      const other = await store.append(newCommit('bot:b', 0));
      expect([first, second, other].map(({ position, from, to }) => [position, from, to])).toEqual([
        [1, 1, 2],
        [2, 3, 3],
        [3, 1, 1],
      ]);
      expect(first).toMatchObject({ stream: 'bot:a', commandId: 'c1', causes: [{ kind: 'tick', number: 0 }] });
      expect(second.commandId).not.toBe('');
      expect(await store.read('bot:a')).toEqual([first, second]);
      expect(await store.readAll(0, 10)).toEqual([first, second, other]);
      expect(await store.readAll(1, 1)).toEqual([second]);
      expect(await store.head()).toBe(3);
      expect(await store.streams()).toEqual(new Map([['bot:a', 3], ['bot:b', 1]])); // prettier-ignore
    });

    it('chains the commits by hash', async () => {
      for (const n of oneTo(5)) await store.append(newCommit(`bot:${String(n % 2)}`, Math.floor((n - 1) / 2)));
      const commits = await store.readAll(0, 10);
      expect(commits).toHaveLength(5);
      for (const [index, { hash, ...record }] of commits.entries()) {
        expect(hash).toBe(commitHash(record));
        if (index > 0) expect(record.prevHash).toBe(commits[index - 1]?.hash);
      }
    });

    it('refuses another version and writes nothing', async () => {
      await store.append(newCommit('bot:a', 0));
      for (const version of [0, 2]) {
        const refused = await store.append(newCommit('bot:a', version)).catch((thrown: unknown) => thrown);
        expect(codeOf(refused)).toBe('VERSION_CONFLICT');
      }
      expect(codeOf(await store.append(newCommit('bot:new', 1)).catch((thrown: unknown) => thrown))).toBe(
        'VERSION_CONFLICT',
      );
      expect(await store.head()).toBe(1);
    });

    it('writes all events of a commit or none', async () => {
      const batch = oneTo(50).map((n) => event({ n }));
      await store.append(newCommit('bot:a', 0, batch));
      await expect(store.append(newCommit('bot:a', 49, batch))).rejects.toThrow(DroverError);
      const commits = await store.read('bot:a');
      expect(commits.flatMap((commit) => commit.events)).toEqual(batch);
      expect(await store.head()).toBe(1);
    });

    it('refuses an append without events', async () => {
      await expect(store.append(newCommit('bot:a', 0, []))).rejects.toThrow(DroverError);
      expect(await store.head()).toBe(0);
    });

    it('returns the stored commit for a command id of this stream, also with a stale version, and writes nothing', async () => {
      const first = await store.append(newCommit('bot:a', 0, [event({ n: 1 })], 'once'));
      await store.append(newCommit('bot:a', 1));
      const other = await fixture.another('other');
      expect(await store.append(newCommit('bot:a', 2, [event({ n: 2 })], 'once'))).toEqual(first);
      expect(await other.append(newCommit('bot:a', 0, [event({ n: 3 })], 'once'))).toEqual(first);
      expect(await store.head()).toBe(2);
      const elsewhere = await store.append(newCommit('bot:b', 0, [event()], 'once'));
      expect(elsewhere.position).toBe(3);
    });

    it('writes a command once when it is sent many times at once', async () => {
      const handles = [store, store, await fixture.another('b')];
      const all = await Promise.all(
        handles.flatMap((handle) => oneTo(10).map((n) => handle.append(newCommit('bot:a', 0, [event({ n })], 'once')))),
      );
      expect(new Set(all.map((commit) => commit.hash)).size).toBe(1);
      expect(await store.head()).toBe(1);
    });

    it('reads from a version, beginning with the commit that holds it', async () => {
      for (const version of [0, 3, 6]) await store.append(newCommit('bot:a', version, [event(), event(), event()]));
      await store.append(newCommit('bot:b', 0));
      const begins = async (from: number): Promise<readonly number[]> =>
        (await store.read('bot:a', from)).map((commit) => commit.from);
      expect(await begins(1)).toEqual([1, 4, 7]);
      expect(await begins(3)).toEqual([1, 4, 7]);
      expect(await begins(4)).toEqual([4, 7]);
      expect(await begins(9)).toEqual([7]);
      expect(await begins(10)).toEqual([]);
    });

    it('keeps payloads of 1 MB', async () => {
      const text = 'x€'.repeat(350_000);
      const written = await Promise.all(
        oneTo(5).map((n) => store.append(newCommit(`bot:${String(n)}`, 0, [event({ n, text })]))),
      );
      expect(await store.readAll(0, 10)).toEqual([...written].sort((a, b) => a.position - b.position));
    });

    it('keeps 10,000 events in one stream', async () => {
      for (let version = 0; version < 10_000; version += 125) {
        const events = oneTo(125).map((n) => event({ n: version + n }));
        await store.append(newCommit('bot:long', version, events));
      }
      const commits = await store.read('bot:long');
      expect(commits.flatMap((commit) => commit.events.map((stored) => stored.data['n']))).toEqual(oneTo(10_000));
      expect((await store.read('bot:long', 9_999)).map((commit) => commit.to)).toEqual([10_000]);
    });

    it('lets exactly one of 20 writers win each version of a stream', async () => {
      const writers = await Promise.all(oneTo(20).map((n) => fixture.another(`writer-${String(n)}`)));
      for (const version of oneTo(VERSIONS).map((n) => n - 1)) {
        const results = await Promise.allSettled(
          writers.map((writer, index) => writer.append(newCommit('bot:storm', version, [event({ version, index })]))),
        );
        const won = results.flatMap((result, index) => (result.status === 'fulfilled' ? [index] : []));
        const lost = results.flatMap((result) => (result.status === 'rejected' ? [codeOf(result.reason)] : []));
        expect(won).toHaveLength(1);
        expect(lost).toEqual(Array.from({ length: 19 }, () => 'VERSION_CONFLICT'));
        const [stored] = await store.read('bot:storm', version + 1);
        expect(stored?.events).toEqual([event({ version, index: won[0] })]);
      }
      expect(await store.head()).toBe(VERSIONS);
    });

    it('does not let a conflict harm appends that wait beside it', async () => {
      await store.append(newCommit('bot:taken', 0));
      const results = await Promise.allSettled(
        oneTo(60).map((n) => store.append(n % 3 === 0 ? newCommit('bot:taken', 0) : newCommit(`bot:${String(n)}`, 0))),
      );
      expect(results.map((result) => result.status === 'fulfilled')).toEqual(oneTo(60).map((n) => n % 3 !== 0));
      expect(await store.head()).toBe(41);
    });

    eventFeedContract(() => fixture);
  });
};
