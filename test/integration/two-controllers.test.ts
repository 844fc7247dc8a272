/** Several drover processes on one MongoDB: one acts, the others stand by (fault R23, issue of one role one lease). */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { cases } from '../support/full.ts';
import { docker } from '../support/spine.ts';
import { openSocketProxy, type SocketProxy } from '../support/socket-proxy.ts';
import { HAS, openWorld, type World } from '../support/servers-world.ts';
import { until } from '../../scripts/until.ts';
import type { DroverProcess } from '../../scripts/drover-process.ts';

const leaseOf = async (drover: DroverProcess): Promise<string> => {
  const { body } = await drover.call('GET', '/readyz?verbose');
  const { dependencies } = body as { dependencies: { name: string; detail: string }[] };
  return dependencies.find(({ name }) => name === 'lease bot-runner')?.detail ?? '';
};
const leads = (drover: DroverProcess): Promise<void> => expect.poll(() => leaseOf(drover)).toMatch(/^leader/);

interface LeaseRow {
  readonly _id: string;
  readonly holder: string | null;
  readonly renewal: number;
}
const leaseRow = async (world: World): Promise<LeaseRow | null> =>
  world.ours
    .collection<{ _id: string; holder: string | null; renewal: number }>('leases')
    .findOne({ _id: 'bot-runner' });

describe.skipIf(!HAS.mongo)('two controllers', () => {
  let world: World;
  let living: DroverProcess[] = [];
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());

  const ends = async (drover: DroverProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    living = living.filter((one) => one !== drover);
    await drover.end(signal);
  };
  /** One that leads and one that stands by; those of the test before, as far as they are still there. */
  const pair = async (): Promise<readonly [DroverProcess, DroverProcess]> => {
    if (living[0] === undefined) living.push(await world.start());
    const [leader] = living as [DroverProcess];
    await leads(leader);
    const standby = living[1] ?? (await world.start({ command: 'bot-runner' }));
    living = [leader, standby];
    return [leader, standby];
  };
  const deploy = async (id: string): Promise<void> => {
    await world.putZip(`user-1/${id}/1.0.0`);
    await world.bots.insertOne(world.document(id));
  };

  it('of which one acts and the other serves the API, says who leads, and refuses what only a leader may', async () => {
    const [first, second] = await pair();
    await deploy('alpha');
    await world.reaches(first, 'alpha', 'running');
    await world.reaches(second, 'alpha', 'running');
    expect(await leaseOf(second)).toMatch(/^standby; the leader is .+$/);
    expect((await second.call('GET', '/readyz')).status).toBe(200);
    const refused = await second.call('POST', '/v1/confirm-removal', {});
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject({ error: { code: 'NOT_LEADER' } });
    // A wish told to the standby is the leader's to fulfil.
    expect((await second.call('POST', '/v1/bots/alpha/disable', {})).status).toBe(202);
    await world.reaches(first, 'alpha', 'stopped');
    await world.reaches(second, 'alpha', 'stopped');
    expect(await world.containers('alpha')).toEqual([]);
  });

  it('R23: the other takes over after a kill -9, adopts what runs, and starts what died meanwhile', async () => {
    const [first, second] = await pair();
    await deploy('stays');
    await deploy('dies');
    const stays = await world.reaches(first, 'stays', 'running');
    const dies = await world.reaches(first, 'dies', 'running');
    await ends(first, 'SIGKILL');
    await docker.getContainer(dies.containerId ?? '').kill();
    // By itself, once nobody has renewed the lease for as long as it lasts. The 15 s of the fault, ten of them for the lease, are
    // those of a machine that does nothing else.
    await leads(second);
    await expect.poll(async () => (await second.bot('dies'))?.attempt).toBe(2);
    await world.reaches(second, 'dies', 'running');
    expect(await second.bot('stays')).toMatchObject({ state: 'running', containerId: stays.containerId, attempt: 1 });
    const events = world.ours.collection<{ epoch: number; stream: string }>('events');
    const written = await events.find({}).sort({ _id: 1 }).toArray();
    const epochs = written.map(({ epoch }) => epoch);
    expect(epochs).toEqual([...epochs].sort((a, b) => a - b));
    // Of these two bots: what the former leader wrote, and what the next one did.
    expect(new Set(written.filter(({ stream }) => /stays|dies/.test(stream)).map(({ epoch }) => epoch)).size).toBe(2);
  });

  it('hands over at once when the leader is asked to end', async () => {
    const [first, second] = await pair();
    const holder = (await leaseRow(world))?.holder;
    expect(holder).toBeTruthy();
    await ends(first, 'SIGTERM');
    // It was given back: nobody has to wait until it ends by itself.
    expect((await leaseRow(world))?.holder).not.toBe(holder);
    await leads(second);
  });
});

describe.skipIf(!HAS.mongo)('a frozen leader', () => {
  let world: World;
  let proxy: SocketProxy;
  beforeEach(async () => {
    world = await openWorld({ env: { RECONCILE_INTERVAL: '1s' } });
    proxy = await openSocketProxy();
  });
  afterEach(async () => {
    await world.close();
    await proxy.close();
  });

  /** Calls of the one behind the proxy that change something at the engine. */
  const changes = (): readonly string[] =>
    proxy
      .requests()
      .map(({ line }) => line)
      .filter((line) => !/^(GET|HEAD) /.test(line));

  it('R23: that wakes makes no Docker call that changes anything, and nothing runs twice', async () => {
    const frozen = await world.start({ env: { DOCKER_HOST: proxy.host } });
    await leads(frozen);
    const other = await world.start();
    const ids = Array.from({ length: cases(2, 4) }, () => `b-${randomBytes(2).toString('hex')}`);
    for (const id of ids) {
      await world.putZip(`user-1/${id}/1.0.0`);
      await world.bots.insertOne(world.document(id));
    }
    for (const id of ids) await world.reaches(frozen, id, 'running');
    // What it has decided already is on its way to the engine, as it may be: it is frozen once nothing is.
    const lastTick = async (): Promise<number> =>
      ((await frozen.call('GET', '/v1/metrics')).body as { lastResyncAt: number | null }).lastResyncAt ?? 0;
    const aTickLater = async (): Promise<void> => {
      const before = await lastTick();
      await expect.poll(lastTick).toBeGreaterThan(before);
    };
    await until(
      async () => {
        const before = changes().length;
        await aTickLater();
        await aTickLater();
        return changes().length === before;
      },
      { otherwise: () => `it goes on changing things: ${changes().slice(-5).join('; ')}` },
    );
    process.kill(frozen.pid, 'SIGSTOP');
    // Work for whoever leads: all are changed, and one is killed.
    await world.bots.updateMany({}, { $set: { 'config.round': 2 } });
    await leads(other);
    for (const id of ids) {
      await expect.poll(async () => (await other.bot(id))?.generation).toBe(2);
      await world.reaches(other, id, 'running');
    }
    const before = changes().length;
    process.kill(frozen.pid, 'SIGCONT');
    // More work at the moment it wakes.
    await world.bots.updateMany({}, { $set: { 'config.round': 3 } });
    for (const id of ids) {
      await expect.poll(async () => (await other.bot(id))?.generation).toBe(3);
      await world.reaches(other, id, 'running');
      expect(await world.containers(id)).toHaveLength(1);
      // The woken one has heard of all that, as it hears of what it could do.
      await expect.poll(async () => (await frozen.bot(id))?.generation).toBe(3);
      await world.reaches(frozen, id, 'running');
    }
    expect(await leaseOf(frozen)).toMatch(/^standby/);
    // Both tick once a second, which is also how often the leader renews its lease, and the woken one answers all the while.
    const renewals = async (): Promise<number> => {
      expect((await frozen.call('GET', '/healthz')).status).toBe(200);
      return (await leaseRow(world))?.renewal ?? 0;
    };
    const renewed = await renewals();
    await expect.poll(renewals).toBeGreaterThanOrEqual(renewed + 3);
    expect(changes().slice(before)).toEqual([]);

    // A second term of the same process: turns, looks at the fleet and what is asked of it belong to that one.
    await other.end('SIGKILL');
    await leads(frozen);
    await world.bots.updateMany({}, { $set: { 'config.round': 4 } });
    for (const id of ids) {
      await expect.poll(async () => (await frozen.bot(id))?.generation).toBe(4);
      await world.reaches(frozen, id, 'running');
      expect(await world.containers(id)).toHaveLength(1);
    }
    expect((await frozen.call('GET', `/v1/bots/${ids[0] ?? ''}/state`)).status).toBe(200);
    await world.bots.updateOne({ id: ids[0] }, { $set: { 'config.enabled': false } });
    await world.reaches(frozen, ids[0] ?? '', 'stopped');
  });
});
