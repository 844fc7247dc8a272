/** drover on MongoDB: documents that other programs edit, and the server away at the start and in the middle (R6, R7, R51). */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { docker } from '../support/spine.ts';
import { HAS, openWorld, type World } from '../support/servers-world.ts';
import type { DroverProcess } from '../../scripts/drover-process.ts';

interface Ready {
  readonly ready: boolean;
  readonly dependencies: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

describe.skipIf(!HAS.mongo)('drover on MongoDB', () => {
  let world: World;
  let current: DroverProcess | undefined;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.close());
  afterEach(async ({ task }) => {
    world.proxies.mongo.restore();
    // What a test that failed has left of it says nothing to the next one.
    if (task.result?.state === 'fail') await ends('SIGKILL');
  });

  /** That of the test before, when it is still there. */
  const running = async (): Promise<DroverProcess> => (current ??= await world.start());
  const ends = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null | undefined> => {
    const ended = current;
    current = undefined;
    return ended?.end(signal);
  };
  const ready = async (drover: DroverProcess): Promise<Ready> =>
    (await drover.call('GET', '/readyz?verbose')).body as Ready;
  const becomesReady = (drover: DroverProcess): Promise<void> =>
    expect.poll(async () => (await ready(drover)).ready).toBe(true);
  const deploy = async (id: string, config: object = {}): Promise<void> => {
    await world.putZip(`user-1/${id}/1.0.0`);
    await world.bots.insertOne(world.document(id, config));
  };

  const reconciles = async (drover: DroverProcess): Promise<number> =>
    ((await drover.call('GET', '/v1/metrics')).body as { reconciles: number }).reconciles;
  const leasesLost = (drover: DroverProcess): number => drover.output().split('lost the lease').length;

  it('does what another program writes straight into the collection: insert, edit, disable, delete', async () => {
    const drover = await running();
    await deploy('alpha', { pair: 'BTC' });
    // No tick comes for an hour: a change stream, or the next look that something else asks for.
    const first = await world.reaches(drover, 'alpha', 'running');
    await world.bots.updateOne({ id: 'alpha' }, { $set: { 'config.pair': 'ETH' } });
    await expect.poll(async () => (await drover.bot('alpha'))?.generation).toBe(2);
    const second = await world.reaches(drover, 'alpha', 'running');
    expect(second.containerId).not.toBe(first.containerId);
    await world.bots.updateOne({ id: 'alpha' }, { $set: { 'config.enabled': false } });
    await world.reaches(drover, 'alpha', 'stopped');
    await world.bots.updateOne({ id: 'alpha' }, { $set: { 'config.enabled': true } });
    await world.reaches(drover, 'alpha', 'running');
    // The last document of all would be missed for a minute first.
    await world.bots.insertOne({ ...world.document('stays', { enabled: false }) });
    await world.bots.deleteOne({ id: 'alpha' });
    await world.reaches(drover, 'alpha', 'deleted');
    expect(await world.containers('alpha')).toEqual([]);
  });

  it('keeps what other programs keep beside the document, and shows them no more than its notes', async () => {
    const drover = await running();
    await deploy('beta');
    await world.bots.updateOne({ id: 'beta' }, { $set: { owner: 'api', segment_id: 7 } });
    await world.reaches(drover, 'beta', 'running');
    expect((await drover.call('POST', '/v1/bots/beta/disable', {})).status).toBe(202);
    await world.reaches(drover, 'beta', 'stopped');
    const stored = await world.bots.findOne({ id: 'beta' }, { projection: { _id: 0 } });
    const added = { owner: 'api', segment_id: 7, _drover: expect.anything() as unknown };
    expect(stored).toEqual({ ...world.document('beta', { enabled: false }), ...added });
  });

  it('R6: starts while MongoDB is away, is alive and not ready, touches nothing, and goes on when it comes', async () => {
    const before = await running();
    await deploy('gamma');
    const { containerId } = await world.reaches(before, 'gamma', 'running');
    await ends('SIGTERM');
    world.proxies.mongo.cut();
    await world.bots.updateOne({ id: 'gamma' }, { $set: { 'config.enabled': false } });
    const drover = (current = await world.start({ alive: true }));
    const tried = world.proxies.mongo.refused();
    // It has tried again and again, which is when it could do something.
    await expect.poll(() => world.proxies.mongo.refused()).toBeGreaterThan(tried + 10);
    await expect.poll(async () => (await ready(drover)).dependencies[0]?.detail).toMatch(/MongoDB does not answer/);
    expect((await drover.call('GET', '/healthz')).status).toBe(200);
    expect((await drover.call('GET', '/readyz?verbose')).status).toBe(503);
    expect((await drover.call('GET', '/v1/bots')).status).toBe(503);
    expect((await docker.getContainer(containerId ?? '').inspect()).State.Running).toBe(true);
    world.proxies.mongo.restore();
    await world.reaches(drover, 'gamma', 'stopped');
    await becomesReady(drover);
  });

  it.each(['cut', 'freeze'] as const)(
    'R7, R51: MongoDB away in the middle (%s): bots go on, nothing is done unrecorded, and it heals',
    async (fault) => {
      const [delta, idle] = [`delta-${fault}`, `idle-${fault}`];
      const drover = await running();
      await deploy(delta);
      await deploy(idle);
      const { containerId } = await world.reaches(drover, delta, 'running');
      const { containerId: idleContainer } = await world.reaches(drover, idle, 'running');
      const handled = await reconciles(drover);
      const lost = leasesLost(drover);
      world.proxies.mongo[fault]();
      // What dies now may be started again only once that can be recorded.
      await docker.getContainer(containerId ?? '').kill();
      // The death was seen, and the lease that nobody renews is over.
      await expect.poll(() => reconciles(drover)).toBeGreaterThan(handled);
      await expect.poll(() => leasesLost(drover)).toBeGreaterThan(lost);
      await expect.poll(async () => (await ready(drover)).ready).toBe(false);
      expect((await world.containers(delta)).filter(({ state }) => state === 'running')).toEqual([]);
      expect((await docker.getContainer(idleContainer ?? '').inspect()).State.Running).toBe(true);
      const written = await drover.call('PUT', '/v1/bots/new', world.document('new'));
      expect(written.status).toBe(503);
      await world.bots.updateOne({ id: idle }, { $set: { 'config.enabled': false } });
      world.proxies.mongo.restore();
      await becomesReady(drover);
      await expect.poll(async () => (await drover.bot(delta))?.attempt).toBe(2);
      const back = await world.reaches(drover, delta, 'running');
      expect(back.containerId).not.toBe(containerId);
      await world.reaches(drover, idle, 'stopped');
      expect(await world.containers(delta)).toHaveLength(1);
      const positions = await world.ours.collection('events').find({}).sort({ _id: 1 }).toArray();
      expect(positions.map(({ _id }) => Number(_id))).toEqual(positions.map((_row, index) => index + 1));
    },
  );

  it('R22: ends within 10 s also while MongoDB does not answer', async () => {
    const drover = await running();
    await deploy('eps');
    const { containerId } = await world.reaches(drover, 'eps', 'running');
    world.proxies.mongo.freeze();
    const begun = performance.now();
    expect(await ends('SIGTERM')).toBe(0);
    // The 10 s of the fault are those of a machine that does nothing else.
    expect(performance.now() - begun).toBeLessThan(20_000);
    expect((await docker.getContainer(containerId ?? '').inspect()).State.Running).toBe(true);
  });
});
