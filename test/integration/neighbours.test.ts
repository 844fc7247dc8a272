/** Others on the same engine: a second install, the predecessor's containers, impostors. None is ever touched. */
import type Docker from 'dockerode';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { removeContainer } from '../../scripts/remove-install.ts';
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
  strangers.push(container);
  await container.start();
  return container;
};

const strangers: Docker.Container[] = [];
let a: Spine;
let b: Spine;
beforeAll(async () => {
  [a, b] = await Promise.all([startSpine({ resyncIntervalMs: 500 }), startSpine({ resyncIntervalMs: 500 })]);
});
afterEach(async () => {
  for (const { id } of strangers.splice(0)) await removeContainer(docker, id);
});
afterAll(async () => {
  await a.end();
  await b.end();
});

describe('two installs on one engine', () => {
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
    const id = `heir-${a.install}`;
    const old = await strange(`old-${a.install}`, {
      'runtime.managed': 'true',
      'runtime.id': id,
      'runtime.type': 'realtime',
    });
    await a.deploy(id);
    const waiting = () => a.bot(id)?.conditions.find(({ type }) => type === 'Progressing')?.reason;
    await expect.poll(waiting).toBe('ForeignInstance');
    expect(await a.containers(id)).toEqual([]);
    expect((await old.inspect()).State.Running).toBe(true);
    await old.remove({ force: true });
    await a.reaches(id, 'running');
  });
});

describe('a container that is not ours', () => {
  it('holding a bot’s name is left alone, and the bot says so and waits', async () => {
    const squatter = await strange(`drover-${a.install}-bot-named`, {});
    await a.deploy('named');
    await a.reaches('named', 'failed.backingOff');
    expect(a.bot('named')?.conditions.find(({ type }) => type === 'Degraded')?.reason).toBe('NameTaken');
    expect((await squatter.inspect()).State.Running).toBe(true);
    await squatter.remove({ force: true });
    await a.reaches('named', 'running');
  });
  it('with a copy of our labels is neither adopted nor killed (fault R27)', async () => {
    await a.deploy('real');
    const { containerId } = await a.reaches('real', 'running');
    const labels = (await docker.getContainer(containerId ?? '').inspect()).Config.Labels;
    const impostor = await strange(`impostor-${a.install}`, labels);
    const resynced = a.drover.states.metrics().lastResyncAt ?? 0;
    await expect.poll(() => a.drover.states.metrics().lastResyncAt ?? 0).toBeGreaterThan(resynced + 1_000);
    expect(a.bot('real')).toMatchObject({ state: 'running', containerId });
    expect((await impostor.inspect()).State.Running).toBe(true);
  });
});
