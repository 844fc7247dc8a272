/** Others on the same engine: a second install, the predecessor's containers, impostors. None is ever touched. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docker, IMAGE, startSpine, type Spine } from '../support/spine.ts';

/** A container made by hand that sleeps, with these labels. */
const strange = async (name: string, labels: Record<string, string>) => {
  const container = await docker.createContainer({
    name,
    Image: IMAGE,
    Entrypoint: ['sleep', '600'],
    Cmd: [],
    Labels: labels,
    HostConfig: { NetworkMode: 'none' },
  });
  await container.start();
  return container;
};

describe('two installs on one engine', () => {
  let a: Spine;
  let b: Spine;
  beforeAll(async () => {
    [a, b] = await Promise.all([startSpine({ resyncIntervalMs: 500 }), startSpine({ resyncIntervalMs: 500 })]);
  });
  afterAll(async () => {
    await a.end();
    await b.end();
  });
  it('run a bot of the same id each, and neither touches the other', async () => {
    await Promise.all([a.deploy('twin'), b.deploy('twin')]);
    const [ofA, ofB] = await Promise.all([a.reaches('twin', 'running'), b.reaches('twin', 'running')]);
    expect(ofA.containerId).not.toBe(ofB.containerId);
    await a.put('twin', a.document('twin', { config: { enabled: false } }));
    await a.reaches('twin', 'stopped');
    expect((await docker.getContainer(ofB.containerId ?? '').inspect()).State.Running).toBe(true);
    expect(b.bot('twin')).toMatchObject({ state: 'running', attempt: 1 });
  });
});

describe('a predecessor’s container', () => {
  it('for a bot of ours makes the bot wait until it is gone', async () => {
    const spine = await startSpine({ resyncIntervalMs: 500 });
    const old = await strange(`old-${spine.install}`, {
      'runtime.managed': 'true',
      'runtime.id': `heir-${spine.install}`,
      'runtime.type': 'realtime',
    });
    const id = `heir-${spine.install}`;
    try {
      await spine.deploy(id);
      const waiting = () => spine.bot(id)?.conditions.find(({ type }) => type === 'Progressing')?.reason;
      await expect.poll(waiting).toBe('ForeignInstance');
      expect(await spine.containers(id)).toEqual([]);
      expect((await old.inspect()).State.Running).toBe(true);
      await old.remove({ force: true });
      await spine.reaches(id, 'running');
    } finally {
      await old.remove({ force: true }).catch(() => undefined);
      await spine.end();
    }
  });
});

describe('a container that is not ours', () => {
  it('holding a bot’s name is left alone, and the bot says so and waits', async () => {
    const spine = await startSpine();
    const squatter = await strange(`drover-${spine.install}-bot-named`, {});
    try {
      await spine.deploy('named');
      await spine.reaches('named', 'failed.backingOff');
      expect(spine.bot('named')?.conditions.find(({ type }) => type === 'Degraded')?.reason).toBe('NameTaken');
      expect((await squatter.inspect()).State.Running).toBe(true);
      await squatter.remove({ force: true });
      await spine.reaches('named', 'running');
    } finally {
      await squatter.remove({ force: true }).catch(() => undefined);
      await spine.end();
    }
  });
  it('with a copy of our labels is neither adopted nor killed (fault R27)', async () => {
    const spine = await startSpine({ resyncIntervalMs: 500 });
    try {
      await spine.deploy('real');
      const { containerId } = await spine.reaches('real', 'running');
      const labels = (await docker.getContainer(containerId ?? '').inspect()).Config.Labels;
      const impostor = await strange(`impostor-${spine.install}`, labels);
      const resynced = spine.drover.states.metrics().lastResyncAt ?? 0;
      await expect.poll(() => spine.drover.states.metrics().lastResyncAt ?? 0).toBeGreaterThan(resynced + 1_000);
      expect(spine.bot('real')).toMatchObject({ state: 'running', containerId });
      expect((await impostor.inspect()).State.Running).toBe(true);
      await impostor.remove({ force: true });
    } finally {
      await spine.end();
    }
  });
});
