/** `drover gc` on a real MinIO and what speaks MongoDB: what goes, and above all what stays (contract §9.4, pitfall 87). */
import { describe, expect } from 'vitest';
import { createObjectSweeper } from '../../src/adapters/minio/object-sweeper.ts';
import type { GarbageReport } from '../../src/controllers/garbage-report.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { GARBAGE_NOTE_KEY } from '../../src/domain/garbage.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';
import { gcTest as it, GRACE, HOUR, mongoAt, mongoHost, noServers, openDyingProxy, PAGE } from './gc-support.ts';
import { minioEnv, refusalOf as refusal, settingsOf } from './minio-support.ts';

const fateOf = ({ items }: GarbageReport): Record<string, string> =>
  Object.fromEntries(items.map(({ name, fate }) => [name, fate]));

// Each test has buckets and databases of its own; some wait for a server that is away.
describe.skipIf(noServers !== undefined).concurrent(noServers ?? 'drover gc', () => {
  it('E10: keeps an orphan during its grace, removes it after, and leaves no object of it', async ({ world }) => {
    await world.bots.insertOne({ id: 'alive' });
    await world.schedules.insertOne({ id: 'planned' });
    await world.leave('alive', 'planned', 'gone');
    await world.put(
      'state',
      'gone/a0000000001/s0000000001.tar.gz',
      'gone/a0000000001/s0000000001.json',
      'gone/restore.json',
    );
    const kept = await world.all();
    expect(fateOf(await world.sweep(0))).toEqual({ gone: 'waits' });
    expect(fateOf(await world.sweep(GRACE - 60_000))).toEqual({ gone: 'waits' });
    expect(await world.all()).toEqual(kept);
    expect((await world.note())?.absent.map(({ id }) => id)).toEqual(['gone']);
    expect(fateOf(await world.sweep(GRACE + 60_000))).toEqual({ gone: 'removed' });
    expect(await world.all()).toEqual(kept.filter((key) => !key.includes('gone')));
    expect(await world.note()).toMatchObject({ installId: world.install, absent: [] });
    // Back under the same id and gone again: a whole grace.
    await world.leave('gone');
    expect(fateOf(await world.sweep(GRACE + 120_000))).toEqual({ gone: 'waits' });
  });

  it('never reads a page for the whole: more objects than one page holds, gone to the last', async ({ world }) => {
    const count = 2 * PAGE + 5;
    const days = Array.from({ length: count }, (_, day) => `logs/long/${String(20_000_000 + day)}.log`);
    await Promise.all(days.map((key) => world.put('logs', key)));
    await world.leave('zz-last');
    await world.bots.insertOne({ id: 'zz-last' });
    const report = await world.sweep(0, { graceMs: 0 });
    expect(report).toMatchObject({ ids: 2, problems: [] });
    expect(report.items).toMatchObject([{ name: 'long', fate: 'removed', objects: count, bytes: count }]);
    expect(await world.all()).toEqual(['logs/zz-last/20260101.log', 'zz-last/state.tar.gz']);
  });

  it('begins the grace anew for an id that comes back during it', async ({ world }) => {
    await world.leave('back');
    await world.sweep(0);
    await world.bots.insertOne({ id: 'back' });
    expect(fateOf(await world.sweep(12 * HOUR))).toEqual({});
    await world.bots.deleteOne({ id: 'back' });
    expect(fateOf(await world.sweep(30 * HOUR))).toEqual({ back: 'waits' });
    expect(await world.all()).toHaveLength(2);
  });

  it('keeps an id that comes back after the judgement, right before it goes', async ({ world }) => {
    await world.leave('late');
    const wishes = {
      ...world.wishes,
      read: async () => {
        const read = await world.wishes.read();
        await world.bots.updateOne({ id: 'late' }, { $set: { id: 'late' } }, { upsert: true });
        return read;
      },
    };
    expect(fateOf(await world.sweep(0, { wishes, graceMs: 0 }))).toEqual({ late: 'cameBack' });
    expect(await world.all()).toHaveLength(2);
  });

  it('keeps what its own log says is not done with, though its document is gone', async ({ world }) => {
    const at = Date.now();
    await world.record('running', [{ type: 'BotCreated', at, incarnation: 1 }]);
    await world.record('done', [
      { type: 'BotCreated', at, incarnation: 1 },
      { type: 'BotDeletionRequested', at },
      { type: 'BotDeleted', at },
    ]);
    await world.leave('running', 'done');
    expect(fateOf(await world.sweep(0, { graceMs: 0 }))).toEqual({ done: 'removed' });
    expect(await world.all()).toEqual(['logs/running/20260101.log', 'running/state.tar.gz']);
  });

  it('removes nothing when MongoDB does not answer', async ({ world, later }) => {
    await world.leave('a');
    await world.put('logs', 'logs/a/.tmp-1');
    const proxy = await openTcpProxy(mongoHost);
    later(proxy.close);
    const wishes = world.wishesAt(mongoAt(proxy.address));
    later(wishes.close);
    for (const fault of ['cut', 'freeze'] as const) {
      proxy[fault]();
      expect((await refusal(world.sweep(2 * HOUR, { wishes, graceMs: 0 }))).code).toBe('STORE_UNAVAILABLE');
      proxy.restore();
    }
    expect(await world.all()).toHaveLength(3);
    expect(await world.note()).toBeUndefined();
  });

  it.for(['getMore', 'bot_schedules'])(
    'takes no part of MongoDB for the whole: gone for good at %s',
    async (word, { world, later }) => {
      // More than a server gives at once.
      await world.bots.insertMany(Array.from({ length: 500 }, (_, index) => ({ id: `bot-${String(index)}` })));
      await world.schedules.insertOne({ id: 'planned' });
      await world.leave('bot-0', 'bot-499', 'planned', 'orphan');
      await world.put('logs', 'logs/orphan/.tmp-1');
      expect((await world.wishes.read()).ids.has('bot-499')).toBe(true);
      const proxy = await openDyingProxy(word);
      later(proxy.close);
      const wishes = world.wishesAt(proxy.uri);
      later(wishes.close);
      const error = await refusal(world.sweep(2 * HOUR, { wishes, graceMs: 0, force: true }));
      expect(error.code).toBe('STORE_UNAVAILABLE');
      expect(proxy.died()).toBe(true);
      expect(await world.all()).toHaveLength(9);
      expect(await world.note()).toBeUndefined();
    },
  );

  it('removes nothing on a MongoDB where no drover ever began, nor after the mark of `bots` is lost', async ({
    world,
    openWorld,
  }) => {
    const fresh = await openWorld({ begun: false });
    await fresh.leave('a');
    const error = await refusal(fresh.sweep(0, { graceMs: 0, force: true }));
    expect(error).toMatchObject({ code: 'GC_REFUSED', message: expect.stringMatching(/no install id/) as string });
    expect(await fresh.all()).toHaveLength(2);
    await world.leave('b');
    await world.bots.db.collection('drover').deleteMany({});
    expect((await refusal(world.sweep(0, { graceMs: 0 }))).message).toMatch(/no mark of this install in bots_/);
    expect(await world.all()).toHaveLength(2);
  });

  it('removes nothing after the mark of `bot_schedules` is lost, but asks for none where there never was one', async ({
    world,
  }) => {
    await world.leave('a');
    await world.schedules.db.dropDatabase();
    expect((await refusal(world.sweep(0, { graceMs: 0 }))).message).toMatch(/no mark of this install in sched_/);
    expect(await world.all()).toHaveLength(2);
    await world.meta.deleteOne({ _id: 'schedulesMarked' as never });
    expect(fateOf(await world.sweep(0, { graceMs: 0 }))).toEqual({ a: 'removed' });
  });

  it('removes nothing when the buckets are another install’s, or the note cannot be read', async ({
    world,
    openWorld,
  }) => {
    await world.leave('a');
    await world.sweep(0);
    const other = await openWorld();
    const error = await refusal(other.sweep(9 * GRACE, { sweeper: world.sweeper, force: true, graceMs: 0 }));
    expect(error.code).toBe('GC_REFUSED');
    expect(error.message).toMatch(new RegExp(`${world.install}.*${other.install}`));
    await world.client.putObject(world.buckets.state, GARBAGE_NOTE_KEY, '{"schema":1');
    expect((await refusal(world.sweep(9 * GRACE, { graceMs: 0 }))).message).toMatch(/not valid JSON/);
    expect(await world.all()).toHaveLength(2);
  });

  it('refuses to remove many at once, lists them, and does it when forced', async ({ world }) => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    await world.leave(...ids, 'alive');
    await world.bots.insertOne({ id: 'alive' });
    const refused = await world.sweep(0, { graceMs: 0 });
    expect(fateOf(refused)).toEqual(Object.fromEntries(ids.map((id) => [id, 'refused'])));
    expect(refused.problems.join()).toMatch(/5 ids.*more than the limit of 3.*--force.*"a", "b", "c", "d", "e"/);
    expect(await world.all()).toHaveLength(12);
    expect((await world.note())?.absent).toHaveLength(5);
    const forced = await world.sweep(0, { graceMs: 0, force: true });
    expect(forced.problems).toEqual([]);
    expect(await world.all()).toEqual(['logs/alive/20260101.log', 'alive/state.tar.gz']);
  });

  it('changes nothing in a dry run, not even its note', async ({ world }) => {
    await world.leave('a');
    await world.put('logs', 'logs/a/.tmp-1');
    const before = await world.all();
    const report = await world.sweep(2 * HOUR, { dryRun: true, graceMs: 0 });
    expect(fateOf(report)).toEqual({ a: 'wouldRemove', 'logs/logs/a/.tmp-1': 'wouldRemove' });
    expect(await world.all()).toEqual(before);
    expect(await world.note()).toBeUndefined();
  });

  it('removes chunks and ends uploads older than an hour, of whomever; younger ones stay', async ({ world }) => {
    await world.bots.insertOne({ id: 'a' });
    await world.leave('a');
    await world.put('logs', 'logs/a/.tmp-1', 'logs/b/c/.tmp-2', 'other/.tmp-3');
    const begin = (bucket: 'logs' | 'state', key: string) =>
      world.client.initiateNewMultipartUpload(world.buckets[bucket], key, {});
    await begin('state', 'a/a0000000001/s0000000001.tar.gz');
    await begin('logs', 'logs/ü 雪+&%/20260101.log');
    expect(fateOf(await world.sweep(0))).toEqual({});
    expect(await world.sweeper.uploads('state')).toHaveLength(1);
    expect(fateOf(await world.sweep(2 * HOUR))).toEqual({
      'logs/logs/a/.tmp-1': 'removed',
      'state/a/a0000000001/s0000000001.tar.gz': 'removed',
      'logs/logs/ü 雪+&%/20260101.log': 'removed',
    });
    expect([...(await world.sweeper.uploads('state')), ...(await world.sweeper.uploads('logs'))]).toEqual([]);
    expect(await world.keys('logs')).toEqual(['logs/a/20260101.log', 'logs/b/c/.tmp-2', 'other/.tmp-3']);
  });

  it('takes hostile ids for what they are, and touches no key that it does not understand', async ({ world }) => {
    const hostile = [
      'logs',
      '__proto__',
      'ü 雪',
      'a+b%20c&d=e',
      `<x>&"'`,
      'tab\tin',
      '*',
      'e\u0301',
      '\u00e9',
      '...',
      ' lead',
      'cr\rx',
      'c\u0001x',
    ];
    const nobodys = ['a/b/state.tar.gz', 'x/notes.txt', 'README', 'x/state.tar.gz.bak', 'x/a1/s1.json'];
    await world.leave(...hostile);
    await world.put('state', ...nobodys);
    await world.put('logs', 'logs/a/b/20260101.log', 'logs/x/today.log', 'elsewhere/x/20260101.log');
    // Wished under names that only look the same; XML makes the second of what was removed above.
    await world.leave('cr\nx');
    await world.bots.insertMany([{ id: '\u00e9' }, { id: 'cr\nx' }, { id: 'a' }]);
    const report = await world.sweep(0, { graceMs: 0, force: true });
    const gone = hostile.filter((id) => id !== '\u00e9');
    expect(report.problems).toEqual([]);
    expect(fateOf(report)).toEqual(Object.fromEntries(gone.map((id) => [id, 'removed'])));
    expect((await world.all()).sort()).toEqual(
      [
        ...nobodys,
        'logs/a/b/20260101.log',
        'logs/x/today.log',
        'elsewhere/x/20260101.log',
        'logs/\u00e9/20260101.log',
        '\u00e9/state.tar.gz',
        'logs/cr\nx/20260101.log',
        'cr\nx/state.tar.gz',
      ].sort(),
    );
  });

  it('two at once do no harm, and one of them does the work', async ({ world }) => {
    await world.bots.insertOne({ id: 'alive' });
    await world.leave('alive', 'a', 'b', 'c');
    await world.sweep(0);
    const both = await Promise.allSettled([1, 2, 3].map(() => world.sweep(GRACE + 60_000)));
    for (const one of both) {
      if (one.status === 'fulfilled') expect(one.value.problems).toEqual([]);
      else expect(one.reason).toMatchObject({ code: 'GC_INCOMPLETE' });
    }
    const removals = both.flatMap((one) => (one.status === 'fulfilled' ? one.value.items : []));
    // The note is written over what was read alone: whoever loses judges again.
    expect(
      removals
        .filter(({ fate }) => fate === 'removed')
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect((await world.sweep(3 * GRACE)).problems).toEqual([]);
    expect(await world.all()).toEqual(['logs/alive/20260101.log', 'alive/state.tar.gz']);
  });

  it('never writes a note over one that it has not read', async ({ world }) => {
    expect(await world.sweeper.writeNote('1', '"0123456789abcdef0123456789abcdef"')).toBeUndefined();
    const tag = await world.sweeper.writeNote('1', undefined);
    expect(await world.sweeper.writeNote('2', undefined)).toBeUndefined();
    const next = await world.sweeper.writeNote('2', tag);
    expect(next).toBeDefined();
    expect(await world.sweeper.writeNote('3', tag)).toBeUndefined();
    expect(await world.sweeper.readNote()).toMatchObject({ text: '2', tag: next });
  });

  it('ends at the first store that fails, says so, and the next sweep goes on', async ({ world }) => {
    await world.leave('a', 'b');
    let reads = 0;
    const wishes = {
      ...world.wishes,
      read: () => {
        reads += 1;
        // The judgement's, then that before `a`; the one before `b` fails.
        return reads < 3 ? world.wishes.read() : Promise.reject(new DroverError('STORE_UNAVAILABLE', 'away'));
      },
    };
    await world.sweep(0);
    const report = await world.sweep(GRACE + 1_000, { wishes });
    expect(fateOf(report)).toEqual({ a: 'removed', b: 'left' });
    expect(report.problems).toEqual([expect.stringMatching(/"b": away/)]);
    expect(await world.all()).toHaveLength(2);
    // What it had waited counts.
    expect(fateOf(await world.sweep(GRACE + 2_000))).toEqual({ b: 'removed' });
  });

  it('makes the bucket of its note when it is missing, and finds nothing in those that are', async ({ world }) => {
    await world.client.removeBucket(world.buckets.state);
    await world.client.removeBucket(world.buckets.logs);
    expect((await world.sweep(0)).objects).toBe(0);
    expect((await world.note())?.installId).toBe(world.install);
    expect(await world.client.bucketExists(world.buckets.logs)).toBe(false);
  });

  it('refuses buckets that hold code or query results too', ({ world }) => {
    const { buckets } = world;
    for (const same of [{ state: buckets.code }, { logs: buckets.queryResults }]) {
      expect(() => createObjectSweeper(settingsOf(minioEnv, { buckets: { ...buckets, ...same } }))).toThrow(
        /does not sweep/,
      );
    }
  });
});
