/** A run of tests that was cut off: what it made on the engine goes, and nothing else. */
import type Docker from 'dockerode';
import { afterAll, describe, expect, it } from 'vitest';
import { dockerAt } from '../../scripts/docker-at.ts';
import { removeContainer } from '../../scripts/remove-install.ts';
import { installPrefix, RUN_LABEL, sweepEngine } from '../../scripts/test-run.ts';
import { HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

/** No run has marks like these. */
const [CUT_OFF, GOING_ON] = ['cut', 'on'];
const INSTALL = newInstall();
const plain = dockerAt(HOST);
const made: Docker.Container[] = [];

const sleeper = async (labels: Record<string, string>, volume: string): Promise<string> => {
  const container = await plain.createContainer({
    Image: IMAGE,
    Entrypoint: ['sleep', '600'],
    Cmd: [],
    Labels: labels,
    HostConfig: { NetworkMode: 'none', Binds: [`${volume}:/state`] },
  });
  made.push(container);
  await container.start();
  return container.id;
};

afterAll(async () => {
  for (const { id } of made) await removeContainer(plain, id);
  for (const name of ['going-on', 'other']) {
    await plain.getVolume(`${INSTALL}-${name}`).remove();
  }
});

describe('what a run of tests has left on the engine', () => {
  it('is removed: bots, helpers, their volumes and networks; what belongs to others stays', async () => {
    const bot = await sleeper({ 'drover.install': `${installPrefix(CUT_OFF)}1` }, `${INSTALL}-of-bot`);
    const helper = await sleeper({ [RUN_LABEL]: CUT_OFF }, `${INSTALL}-of-helper`);
    const Labels = { 'drover.install': `${installPrefix(CUT_OFF)}2` };
    await plain.createVolume({ Name: `${INSTALL}-alone`, Labels });
    await plain.createNetwork({ Name: INSTALL, Labels: { [RUN_LABEL]: CUT_OFF } });
    const staying = [
      await sleeper({ 'drover.install': `${installPrefix(GOING_ON)}1`, [RUN_LABEL]: GOING_ON }, `${INSTALL}-going-on`),
      await sleeper({ 'drover.install': 'prod' }, `${INSTALL}-other`),
    ];

    const left = await sweepEngine(plain, { mark: CUT_OFF });

    expect(left.containers.length).toBe(2);
    const volumes = ['alone', 'of-bot', 'of-helper'].map((name) => `${INSTALL}-${name}`);
    expect([...left.volumes].sort()).toEqual(volumes);
    expect(left.networks).toEqual([INSTALL]);
    const containers = (await plain.listContainers({ all: true })).map(({ Id }) => Id);
    expect(containers).toEqual(expect.arrayContaining(staying));
    for (const id of [bot, helper]) expect(containers).not.toContain(id);
    const { Volumes } = await plain.listVolumes();
    const ours = Volumes.map(({ Name }) => Name).filter((name) => name.startsWith(INSTALL));
    expect(ours.sort()).toEqual([`${INSTALL}-going-on`, `${INSTALL}-other`]);
    const networks = await plain.listNetworks();
    expect(networks.map(({ Name }) => Name)).not.toContain(INSTALL);
    expect(await sweepEngine(plain, { mark: CUT_OFF })).toEqual({
      containers: [],
      volumes: [],
      networks: [],
    });
  });
});
