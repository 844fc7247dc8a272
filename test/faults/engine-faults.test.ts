/** Faults R13–R17 and C5's "engine lost": between drover and a real engine stands a proxy that fails on purpose. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openSocketProxy, type SocketProxy } from '../support/socket-proxy.ts';
import { docker, startSpine, type Spine } from '../support/spine.ts';

let proxy: SocketProxy;
let spine: Spine;
afterEach(() => {
  proxy.restore();
  proxy.stall = undefined;
  proxy.loseReply = undefined;
});

const other = (containerId: string | null) => (bot: { containerId: string | null }) => bot.containerId !== containerId;

describe('an engine that fails from the start, or for longer than a call may take', () => {
  beforeEach(async () => {
    proxy = await openSocketProxy();
  });
  afterEach(async () => {
    await spine.end();
    await proxy.close();
  });

  it('R13: is away at the start: wishes are still taken, and done once it is there', async () => {
    proxy.cut();
    spine = await startSpine({ host: proxy.host });
    await spine.deploy('patient');
    const engine = (await spine.drover.readiness()).find(({ name }) => name === 'engine');
    expect(engine?.ok).toBe(false);
    await expect.poll(() => spine.bot('patient')?.state).toBe('stopped');
    proxy.restore();
    await spine.reaches('patient', 'running');
  });

  it('R15: hangs in one call: that bot waits, the others go on, and it heals', async () => {
    spine = await startSpine({ host: proxy.host, deadlineMs: 1_500 });
    await spine.deploy('victim', undefined, { config: { enabled: false } });
    await expect.poll(() => spine.bot('victim')?.generation).toBe(1);
    proxy.stall = /POST .*containers\/create\?name=.*victim/;
    await spine.put('victim', spine.document('victim'));
    await spine.deploy('neighbour');
    await spine.reaches('neighbour', 'running');
    await spine.reaches('victim', 'failed.backingOff');
    expect(spine.bot('victim')?.conditions.find(({ type }) => type === 'Degraded')?.reason).toBe('EngineTimeout');
    proxy.stall = undefined;
    await spine.reaches('victim', 'running');
    expect(await spine.containers('victim')).toHaveLength(1);
  });
});

describe('an engine that fails', () => {
  // Each test has bots of its own.
  beforeAll(async () => {
    proxy = await openSocketProxy();
    spine = await startSpine({ host: proxy.host });
  });
  afterAll(async () => {
    await spine.end();
    await proxy.close();
  });

  it('R14, C5: is away while bots die: they come back, and nothing is counted against them', async () => {
    await spine.deploy('lost');
    const before = await spine.reaches('lost', 'running');
    proxy.cut();
    await docker.getContainer(before.containerId ?? '').kill();
    await docker.getContainer(before.containerId ?? '').wait();
    proxy.restore();
    await spine.reaches('lost', 'running', other(before.containerId));
    const exits = spine.told.flatMap(({ botId, event }) =>
      botId === 'lost' && event.type === 'ContainerExited' ? [event.class] : [],
    );
    expect(exits).toEqual(['engineLost']);
    expect(spine.drover.states.folds().get('lost')?.state.context).toMatchObject({ streak: 0, crashes: [] });
  });

  it.each([
    ['create', /POST .*containers\/create/],
    ['start', /POST .*containers\/[^/]+\/start/],
    ['kill', /POST .*containers\/[^/]+\/kill/],
    ['remove', /DELETE .*containers\//],
  ])('R16: does %s and its reply is lost: one container, and the end is as wished', async (verb, request) => {
    const id = `echo-${verb}`;
    proxy.loseReply = request;
    await spine.deploy(id);
    await spine.reaches(id, 'running');
    await spine.put(id, spine.document(id, { config: { enabled: false } }));
    await spine.reaches(id, 'stopped');
    expect(proxy.loseReply, 'the fault happened').toBeUndefined();
    expect(await spine.containers(id)).toEqual([]);
    await spine.put(id, spine.document(id));
    await spine.reaches(id, 'running');
    expect(await spine.containers(id)).toHaveLength(1);
  });

  it('R17, B4: cuts the event stream while containers die: every one is found by the list after it', async () => {
    const ids = ['e1', 'e2', 'e3', 'e4', 'e5'];
    for (const id of ids) await spine.deploy(id);
    const before = await Promise.all(ids.map((id) => spine.reaches(id, 'running')));
    for (const bot of before) {
      proxy.cut();
      await docker.getContainer(bot.containerId ?? '').kill();
      proxy.restore();
    }
    await Promise.all(ids.map((id, n) => spine.reaches(id, 'running', other(before[n]?.containerId ?? null))));
    for (const id of ids) {
      expect(await spine.containers(id)).toHaveLength(1);
      expect(spine.events(id).filter((type) => type === 'ContainerExited')).toHaveLength(1);
    }
  });
});
