/** `drover takeover` from a running predecessor: its bots wait, are stopped gracefully, and run on here. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mkdtemp, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { runDrover, startDrover, type DroverProcess } from '../../scripts/drover-process.ts';
import { freePort } from '../../scripts/free-port.ts';
import { removeContainer, removeInstall } from '../../scripts/remove-install.ts';
import { aDocument } from '../support/served.ts';
import { docker, HOST, IMAGE, LOOPING, zipOf } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

describe('takeover', () => {
  let dataDir: string;
  let env: Record<string, string>;
  let drover: DroverProcess;
  const old: Docker.Container[] = [];
  const tag = randomBytes(3).toString('hex');
  const [ours, other, back] = [`ours-${tag}`, `other-${tag}`, `back-${tag}`];

  /** As the predecessor makes them: no name, its labels, no restart policy; says goodbye when it is asked to end. */
  const predecessor = async (botId: string): Promise<Docker.Container> => {
    const container = await docker.createContainer({
      Image: IMAGE,
      Entrypoint: ['sh', '-c', 'trap "echo goodbye; exit 0" TERM; while :; do sleep 0.1; done'],
      Cmd: [],
      Labels: {
        'runtime.managed': 'true',
        'runtime.id': botId,
        'runtime.entrypoint': 'main.js',
        'runtime.type': 'realtime',
      },
      HostConfig: { NetworkMode: 'none' },
    });
    old.push(container);
    await container.start();
    return container;
  };
  const isRunning = async (container: Docker.Container): Promise<boolean> => (await container.inspect()).State.Running;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'drover-takeover-'));
    const install = newInstall();
    env = {
      DOCKER_HOST: HOST,
      RUNTIME_IMAGE: IMAGE,
      DROVER_DATA_DIR: dataDir,
      INSTALL_ID: install,
      LOG_FORMAT: 'json',
    };
    drover = await startDrover({ port: await freePort(), env });
    env = { ...env, DROVER_URL: drover.url };
    const zip = await buffer(zipOf({ 'main.js': LOOPING }));
    for (const id of [ours, back]) {
      await fetch(`${drover.url}/v1/archives/u/${id}/1.0.0`, { method: 'PUT', body: new Uint8Array(zip) });
    }
  });
  afterEach(async () => {
    for (const container of old.splice(0)) await removeContainer(docker, container.id);
  });
  afterAll(async () => {
    await drover.end('SIGKILL');
    await removeInstall(docker, env['INSTALL_ID'] ?? '');
    await rm(dataDir, { recursive: true, force: true });
  });

  it('stops the predecessor’s containers of our bots with a goodbye, leaves all others, and runs the bots', async () => {
    const [mine, strange] = await Promise.all([predecessor(ours), predecessor(other)]);
    await drover.call('PUT', `/v1/bots/${ours}`, aDocument(ours));
    const reason = async () => (await drover.bot(ours))?.conditions.find(({ type }) => type === 'Progressing')?.reason;
    await expect.poll(reason).toBe('ForeignInstance');

    const plan = await runDrover(['takeover', '--dry-run'], env);
    expect(plan).toMatch(new RegExp(`would be stopped[^]*${ours}`));
    expect(plan).toMatch(new RegExp(`not stopped[^]*${other}`));
    expect(await isRunning(mine)).toBe(true);

    const told = await runDrover(['takeover', '--no-watch'], env);
    expect(told).toMatch(new RegExp(`${ours}: 1 stopped`));
    expect((await mine.logs({ stdout: true })).toString()).toContain('goodbye');
    expect((await mine.inspect()).State).toMatchObject({ Running: false, ExitCode: 0 });
    await expect.poll(async () => (await drover.bot(ours))?.state).toBe('running');
    expect(await isRunning(strange)).toBe(true);
    expect(await runDrover(['takeover'], env)).toMatch(/no container of the0 runs a bot of drover/);
  });

  it('says so when the predecessor starts them again', async () => {
    const mine = await predecessor(back);
    await drover.call('PUT', `/v1/bots/${back}`, aDocument(back));
    const again = mine.wait().then(() => predecessor(back));
    const failed = await runDrover(['takeover'], env).catch((thrown: unknown) => String(thrown));
    await again;
    expect(failed).toMatch(/PREDECESSOR_ACTIVE/);
    expect(failed).toMatch(/Stop that bot runner for good/);
  });
});
