/** The feed with three writing processes: dense, in order, once each, chained, with everything that was acknowledged. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMongoEventStore } from '../../src/adapters/mongo/mongo-event-store.ts';
import { chainFault } from '../../src/domain/commit-hash.ts';
import type { Commit } from '../../src/domain/recorded.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import type { Acknowledged } from './crash-contract.ts';
import { cases } from '../support/full.ts';
import { FENCE, oneTo } from './commits.ts';
import { fenceOff, MONGO_URI, mongoScratch, spawnWriter, type MongoScratch } from './mongo-support.ts';

const COMMITS = cases(100, 600);

/** `seen` grows with each commit that comes. */
const follow = async (
  store: EventStore,
  seen: Commit[],
  until: AbortSignal,
  breakAfter: () => number,
): Promise<void> => {
  while (!until.aborted) {
    const page = new AbortController();
    let left = breakAfter();
    for await (const commit of store.feed(seen.at(-1)?.position ?? 0, AbortSignal.any([until, page.signal]))) {
      seen.push(commit);
      left -= 1;
      if (left === 0) page.abort();
    }
  }
};

describe.skipIf(MONGO_URI === undefined)('three processes that write to MongoDB at once', () => {
  let scratch: MongoScratch;
  let writers: ChildProcess[] = [];
  let endReaders: () => Promise<unknown>;
  beforeEach(async () => {
    endReaders = () => Promise.resolve();
    scratch = await mongoScratch();
  });
  afterEach(async () => {
    // Also where the test failed before it did: a reader of a closed client is another error beside the first.
    for (const child of writers) child.kill('SIGKILL');
    await endReaders();
    await scratch.close();
  });

  it('leave one dense log, and every reader sees each commit once and in order', async () => {
    const stores = oneTo(3).map(() =>
      createMongoEventStore(scratch.connect(), { now: Date.now, writer: FENCE, epoch: () => 1 }),
    );
    const [store] = stores as [EventStore];
    const ended = new AbortController();
    const seen = stores.map((): Commit[] => []);
    const readers = stores.map((reader, index) =>
      follow(reader, seen[index] ?? [], ended.signal, () =>
        index === 0 ? Number.MAX_SAFE_INTEGER : Math.ceil(Math.random() * 40),
      ),
    );
    endReaders = () => {
      ended.abort();
      return Promise.all(readers);
    };
    const acknowledged = new Map<number, string>();
    const writing = new Set<number>();
    const spawned = ['a', 'b', 'c'].map((tag) => spawnWriter(scratch, tag));
    writers = spawned;
    const done = Promise.all(
      spawned.map(async (child, index) => {
        for await (const line of createInterface({ input: child.stdout })) {
          const { position, hash } = JSON.parse(line) as Acknowledged;
          expect(acknowledged.has(position)).toBe(false);
          acknowledged.set(position, hash);
          writing.add(index);
        }
      }),
    );
    // Processes start when they do: on a busy machine two may have written a lot before the third begins.
    await expect.poll(() => writing.size).toBe(writers.length);
    await expect.poll(() => acknowledged.size).toBeGreaterThan(COMMITS);
    const over = writers.map((child) => once(child, 'close'));
    for (const child of writers) child.kill('SIGKILL');
    await Promise.all([...over, done]);
    await fenceOff(store);
    const log = await store.readAll(0, Number.MAX_SAFE_INTEGER);
    expect(chainFault(log)).toBeUndefined();
    expect(log.map(({ position }) => position)).toEqual(oneTo(log.length));
    expect(new Set(log.map(({ writer }) => writer).filter((writer) => writer !== FENCE)).size).toBe(3);
    const hashes = new Map(log.map(({ position, hash }) => [position, hash]));
    for (const [position, hash] of acknowledged) expect(hashes.get(position)).toBe(hash);
    // What is still to come comes before a commit that is later than all of them.
    const last = await fenceOff(store);
    for (const each of seen) await expect.poll(() => each.at(-1)?.position).toBe(last);
    await endReaders();
    const whole = await store.readAll(0, Number.MAX_SAFE_INTEGER);
    expect(whole.slice(0, log.length)).toEqual(log);
    for (const each of seen) expect(each).toEqual(whole);
    for (const reader of stores) await reader.close();
  });
});
