/** Several drover processes on one MongoDB: one acts, the others stand by (fault R23, issue of one role one lease). */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { docker } from '../support/spine.ts';
import { openSocketProxy, type SocketProxy } from '../support/socket-proxy.ts';
import { HAS, openWorld, type World } from '../support/servers-world.ts';
import type { DroverProcess } from '../../scripts/drover-process.ts';

const leaseOf = async (drover: DroverProcess): Promise<string> => {
  const { body } = await drover.call('GET', '/readyz?verbose');
  const { dependencies } = body as { dependencies: { name: string; detail: string }[] };
  return dependencies.find(({ name }) => name === 'lease bot-runner')?.detail ?? '';
};
const leads = (drover: DroverProcess): Promise<void> => expect.poll(() => leaseOf(drover)).toMatch(/^leads/);

describe.skipIf(!HAS.mongo)('two controllers', () => {
  let world: World;
  let first: DroverProcess;
  let second: DroverProcess;
  beforeEach(async () => {
    world = await openWorld();
    first = await world.start();
    await leads(first);
    second = await world.start({ command: 'bot-runner' });
  });
  afterEach(() => world.close());

  const deploy = async (id: string): Promise<void> => {
    await world.putZip(`user-1/${id}/1.0.0`);
    await world.bots.insertOne(world.document(id));
  };

  it('of which one acts and the other serves the API, says who leads, and refuses what only a leader may', async () => {
    await deploy('alpha');
    await world.reaches(first, 'alpha', 'running');
    await world.reaches(second, 'alpha', 'running');
    expect(await leaseOf(second)).toMatch(/^standby; .+ leads$/);
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

  it('R23: the other takes over within 15 s of a kill -9, adopts what runs, and starts what died meanwhile', async () => {
    await deploy('stays');
    await deploy('dies');
    const stays = await world.reaches(first, 'stays', 'running');
    const dies = await world.reaches(first, 'dies', 'running');
    await first.end('SIGKILL');
    const killed = performance.now();
    await docker.getContainer(dies.containerId ?? '').kill();
    await leads(second);
    expect(performance.now() - killed).toBeLessThan(15_000);
    await expect.poll(async () => (await second.bot('dies'))?.attempt).toBe(2);
    await world.reaches(second, 'dies', 'running');
    expect(await second.bot('stays')).toMatchObject({ state: 'running', containerId: stays.containerId, attempt: 1 });
    const epochs = await world.ours.collection('events').find({}).sort({ _id: 1 }).toArray();
    expect(epochs.map(({ epoch }) => epoch as number)).toEqual(epochs.map(({ epoch }) => epoch as number).sort());
    expect(new Set(epochs.map(({ epoch }) => epoch as number))).toEqual(new Set([1, 2]));
  });

  it('hands over at once when the leader is asked to end', async () => {
    await first.end('SIGTERM');
    const ended = performance.now();
    await leads(second);
    // Less than the lease, which nobody had to wait for.
    expect(performance.now() - ended).toBeLessThan(12_000);
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

  it('R23: that wakes makes no Docker call that changes anything, and nothing runs twice', async () => {
    const frozen = await world.start({ env: { DOCKER_HOST: proxy.host } });
    await leads(frozen);
    const other = await world.start();
    const ids = Array.from({ length: 4 }, () => `b-${randomBytes(2).toString('hex')}`);
    for (const id of ids) {
      await world.putZip(`user-1/${id}/1.0.0`);
      await world.bots.insertOne(world.document(id));
    }
    for (const id of ids) await world.reaches(frozen, id, 'running');
    process.kill(frozen.pid, 'SIGSTOP');
    // Work for whoever leads: all are changed, and one is killed.
    await world.bots.updateMany({}, { $set: { 'config.round': 2 } });
    await leads(other);
    for (const id of ids) {
      await expect.poll(async () => (await other.bot(id))?.generation).toBe(2);
      await world.reaches(other, id, 'running');
    }
    await sleep(5_000);
    const before = proxy.requests().length;
    process.kill(frozen.pid, 'SIGCONT');
    // More work at the moment it wakes.
    await world.bots.updateMany({}, { $set: { 'config.round': 3 } });
    await sleep(5_000);
    const begun = proxy.requests().slice(before);
    const changes = begun.map(({ line }) => line).filter((line) => !/^(GET|HEAD) /.test(line));
    expect(changes).toEqual([]);
    for (const id of ids) {
      await expect.poll(async () => (await other.bot(id))?.generation).toBe(3);
      await world.reaches(other, id, 'running');
      expect(await world.containers(id)).toHaveLength(1);
    }
    expect(await leaseOf(frozen)).toMatch(/^standby/);
    await expect.poll(async () => (await frozen.bot(ids[0] ?? ''))?.generation).toBe(3);

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
