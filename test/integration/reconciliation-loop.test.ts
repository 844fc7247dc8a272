/** Every sentence of the seed's "Reconciliation Loop", on a real engine with real bots. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/ports/container-tools.ts';
import { pause } from '../support/pause.ts';
import { asked, docker, startSpine, type Spine } from '../support/spine.ts';

/** An engine whose events are never heard: only the tick is left. */
const deaf = (engine: Engine): Engine => ({ ...engine, watch: () => undefined });

const running = (id: string, spine: Spine) => spine.reaches(id, 'running');
const other = (containerId: string | null) => (bot: { containerId: string | null }) => bot.containerId !== containerId;

describe('at once, on a signal', () => {
  let spine: Spine;
  beforeAll(async () => {
    spine = await startSpine();
  });
  afterAll(() => spine.end());

  it('a bot that should be running but is not is started', async () => {
    await spine.deploy('one');
    const bot = await running('one', spine);
    const [container] = await spine.containers('one');
    expect(container?.Id).toBe(bot.containerId);
    expect(container?.Names).toEqual([`/drover-${spine.install}-bot-one`]);
    expect(spine.events('one')).toEqual([
      'BotCreated',
      'SpecChanged',
      'BotEnabled',
      'ContainerStartRequested',
      'ContainerCreated',
      'ContainerStarted',
    ]);
  });

  it('a container whose bot was disabled is stopped, and nothing of it stays', async () => {
    await spine.deploy('two');
    await running('two', spine);
    await spine.put('two', spine.document('two', { config: { enabled: false } }));
    await spine.reaches('two', 'stopped');
    expect(await spine.containers('two')).toEqual([]);
    const exit = spine.told.find(({ botId, event }) => botId === 'two' && event.type === 'ContainerExited');
    expect(exit?.event).toMatchObject({ class: 'stoppedByUs' });
  });

  it('a changed configuration restarts it exactly once', async () => {
    await spine.deploy('three');
    const before = await running('three', spine);
    await spine.put('three', spine.document('three', { config: { symbol: 'ETH' } }));
    const after = await spine.reaches('three', 'running', other(before.containerId));
    expect(after.generation).toBe(2);
    expect(after.observedGeneration).toBe(2);
    expect(spine.events('three').filter((type) => type === 'ContainerStarted')).toHaveLength(2);
  });

  it('a killed container is back after the backoff, its class and cause told', async () => {
    await spine.deploy('four');
    const before = await running('four', spine);
    await docker.getContainer(before.containerId ?? '').kill();
    const after = await spine.reaches('four', 'running', other(before.containerId));
    expect(after.attempt).toBe(2);
    const exit = spine.told.find(({ botId, event }) => botId === 'four' && event.type === 'ContainerExited');
    expect(exit?.event).toMatchObject({ class: 'killedByOthers', exitCode: 137 });
    expect(exit?.causes.some(({ kind }) => kind === 'docker')).toBe(true);
  });

  it('a deleted bot goes, and comes back as a new incarnation with a state of its own', async () => {
    await spine.deploy('five');
    await running('five', spine);
    await spine.stores.specs.remove('five', asked('delete'));
    await spine.reaches('five', 'deleted');
    expect(await spine.containers('five')).toEqual([]);
    await spine.deploy('five');
    await running('five', spine);
    const [container] = await spine.containers('five');
    expect(container?.Labels['drover.incarnation']).toBe('2');
    expect(container?.Mounts.map(({ Name }) => Name).filter(Boolean)).toEqual(
      expect.arrayContaining([expect.stringContaining('-2-state')]),
    );
  });

  it('a pause by hand makes no twin, a restart by hand is adopted', async () => {
    await spine.deploy('six');
    const { containerId } = await running('six', spine);
    const container = docker.getContainer(containerId ?? '');
    await pause(containerId ?? '');
    // What is reported of state and logs comes in between, whenever it comes.
    await expect.poll(() => spine.events('six')).toContain('ContainerPaused');
    await container.unpause();
    await expect.poll(() => spine.events('six')).toContain('ContainerUnpaused');
    await container.restart({ t: 5 });
    await expect.poll(() => spine.events('six').join()).toMatch(/Container(Restarted|Adopted)/);
    expect((await running('six', spine)).containerId).toBe(containerId);
    expect(await spine.containers('six')).toHaveLength(1);
  });

  it('a container removed by hand is replaced', async () => {
    await spine.deploy('seven');
    const before = await running('seven', spine);
    await docker.getContainer(before.containerId ?? '').remove({ force: true });
    await spine.reaches('seven', 'running', other(before.containerId));
    expect(await spine.containers('seven')).toHaveLength(1);
  });
});

describe('by the tick alone, with every other signal lost', () => {
  it('missing, unwanted, changed and dead containers are all put right', async () => {
    const spine = await startSpine({
      wrap: deaf,
      deafToSpecs: true,
      resyncIntervalMs: 1_000,
      policy: { healthyAfterMs: 100 },
    });
    try {
      for (const id of ['a', 'b', 'c', 'd']) await spine.deploy(id);
      const before = await Promise.all(['a', 'b', 'c', 'd'].map((id) => running(id, spine)));
      // A bot that was just started is looked at by timers of its own, until it is healthy and has told of its state.
      const settled = ['BecameHealthy', 'StateSynced'];
      for (const id of ['a', 'b', 'c', 'd'])
        await expect.poll(() => spine.events(id)).toEqual(expect.arrayContaining(settled));
      await docker.getContainer(before[0]?.containerId ?? '').kill();
      await docker.getContainer(before[1]?.containerId ?? '').remove({ force: true });
      await spine.reaches('a', 'running', other(before[0]?.containerId ?? null));
      await spine.reaches('b', 'running', other(before[1]?.containerId ?? null));
      const exit = spine.told.find(({ botId, event }) => botId === 'a' && event.type === 'ContainerExited');
      expect(exit?.causes.map(({ kind }) => kind)).toContain('tick');
      await spine.put('c', spine.document('c', { config: { enabled: false } }));
      await spine.put('d', spine.document('d', { config: { symbol: 'ETH' } }));
      await spine.reaches('c', 'stopped');
      await spine.reaches('d', 'running', (bot) => bot.observedGeneration === 2);
    } finally {
      await spine.end();
    }
  });

  it('an idle tick writes nothing, and looks at no more bots than it samples for their reports', async () => {
    let looks = 0;
    const counting = (engine: Engine): Engine => ({
      ...engine,
      observe: (id) => {
        looks += 1;
        return engine.observe(id);
      },
    });
    const spine = await startSpine({ wrap: counting, resyncIntervalMs: 500, policy: { healthyAfterMs: 100 } });
    try {
      await spine.deploy('quiet');
      await running('quiet', spine);
      const settled = ['BecameHealthy', 'StateSynced', 'LogsShipped'];
      await expect.poll(() => spine.events('quiet')).toEqual(expect.arrayContaining(settled));
      const resyncs = (): number => spine.drover.states.metrics().lastResyncAt ?? 0;
      const first = resyncs();
      await expect.poll(resyncs).toBeGreaterThan(first);
      const [position, looked, then] = [await spine.stores.events.head(), looks, resyncs()];
      let ticks = 0;
      for (let last = then; ticks < 4; last = resyncs()) {
        await expect.poll(resyncs, { interval: 10 }).toBeGreaterThan(last);
        ticks += 1;
      }
      expect(await spine.stores.events.head()).toBe(position);
      // One bot, asked at each tick what became of its state, and once more by a tick that began meanwhile.
      expect(looks - looked).toBeLessThanOrEqual(ticks + 1);
    } finally {
      await spine.end();
    }
  });
});
