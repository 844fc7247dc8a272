/** Bots that another install of drover runs on the same engine, and containers that belong to no bot any more. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import { runDrover, startDrover, type DroverProcess } from '../../scripts/drover-process.ts';
import { buffer } from 'node:stream/consumers';
import { aDocument } from '../support/served.ts';
import { docker, HOST, IMAGE, LOOPING, zipOf } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

interface Install {
  readonly name: string;
  readonly drover: DroverProcess;
  readonly env: Record<string, string>;
  cli(...args: string[]): Promise<string>;
  deploy(id: string): Promise<void>;
  dependency(name: string): Promise<{ readonly ok: boolean; readonly detail: string } | undefined>;
}

const ended: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

const open = async (
  given: { install?: string; dataDir?: string; env?: Record<string, string> } = {},
): Promise<Install> => {
  const dataDir = given.dataDir ?? (await mkdtemp(join(tmpdir(), 'drover-other-')));
  const name = given.install ?? newInstall();
  const env = {
    DOCKER_HOST: HOST,
    RUNTIME_IMAGE: IMAGE,
    DROVER_DATA_DIR: dataDir,
    INSTALL_ID: name,
    LOG_FORMAT: 'json',
    RECONCILE_INTERVAL: '500ms',
    FOREIGN_INSTALLS: 'wait',
    ...given.env,
  };
  const drover = await startDrover({ port: await freePort(), env });
  ended.push(async () => {
    await drover.end('SIGKILL');
    await removeInstall(docker, name);
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    name,
    drover,
    env,
    cli: (...args) => runDrover(args, { ...env, DROVER_URL: drover.url }),
    async deploy(id) {
      const zip = await buffer(zipOf({ 'main.js': LOOPING }));
      await fetch(`${drover.url}/v1/archives/u/${id}/1.0.0`, { method: 'PUT', body: new Uint8Array(zip) });
      expect((await drover.call('PUT', `/v1/bots/${id}`, aDocument(id))).status).toBe(201);
    },
    async dependency(of) {
      const { body } = await drover.call('GET', '/readyz?verbose');
      const { dependencies } = body as { dependencies: { name: string; ok: boolean; detail: string }[] };
      return dependencies.find((one) => one.name === of);
    },
  };
};
const running = async ({ drover }: Install, id: string): Promise<string> => {
  await expect.poll(async () => (await drover.bot(id))?.state, { timeout: 60_000 }).toBe('running');
  return (await drover.bot(id))?.containerId ?? '';
};
const progressing = async ({ drover }: Install, id: string) =>
  (await drover.bot(id))?.conditions.find(({ type }) => type === 'Progressing');
const uniqueId = (name: string): string => `${name}-${newInstall().slice(-8)}`;

describe('a bot that another install runs', () => {
  it('case F1: is not started a second time, is told in get, readiness, log and takeover, and starts once the other is gone', async () => {
    const id = uniqueId('twin');
    const a = await open();
    await a.deploy(id);
    const first = await running(a, id);
    const b = await open();
    await b.deploy(id);
    await expect.poll(async () => (await progressing(b, id))?.reason, { timeout: 30_000 }).toBe('ForeignInstance');
    expect((await progressing(b, id))?.message).toContain(
      `of the install ${a.name} of drover runs this bot; drover waits`,
    );
    expect(await b.cli('get')).toMatch(new RegExp(`${id}.*ForeignInstance`));
    expect(await b.dependency('foreign instances')).toMatchObject({
      ok: false,
      detail: expect.stringContaining(id) as unknown,
    });
    expect((await b.drover.call('GET', '/readyz')).status).toBe(200);
    expect(b.drover.output()).toMatch(new RegExp(`"ForeignInstanceFound".*"install":"${a.name}"`));
    const plan = await b.cli('takeover', '--dry-run');
    expect(plan).toMatch(new RegExp(`run by the install ${a.name} of drover[^]*${id}`));
    expect(await docker.listContainers({ filters: { label: [`runtime.id=${id}`] } })).toHaveLength(1);
    await a.drover.call('POST', `/v1/bots/${id}/disable`, {});
    expect(await running(b, id)).not.toBe(first);
    await expect.poll(() => b.dependency('foreign instances')).toBeUndefined();
  });

  it('case F1: with FOREIGN_INSTALLS=ignore is started beside it, and the one that waits goes on with what runs and says so', async () => {
    const id = uniqueId('beside');
    const a = await open();
    await a.deploy(id);
    const first = await running(a, id);
    const b = await open({ env: { FOREIGN_INSTALLS: 'ignore' } });
    await b.deploy(id);
    await running(b, id);
    await expect.poll(async () => (await progressing(a, id))?.reason, { timeout: 30_000 }).toBe('ForeignInstance');
    expect((await progressing(a, id))?.message).toMatch(new RegExp(`install ${b.name} of drover runs this bot, too`));
    expect(await a.drover.bot(id)).toMatchObject({ state: 'running', containerId: first });
    await b.drover.call('POST', `/v1/bots/${id}/disable`, {});
    await expect.poll(async () => (await progressing(a, id))?.reason, { timeout: 60_000 }).toBe('AtRest');
    expect(await a.drover.bot(id)).toMatchObject({ state: 'running', containerId: first, restarts: 0 });
  });

  it('case F1: whose controller is gone is taken over by its name', async () => {
    const id = uniqueId('left');
    const a = await open();
    await a.deploy(id);
    const first = await running(a, id);
    await a.drover.end('SIGKILL');
    const b = await open();
    await b.deploy(id);
    await expect.poll(async () => (await progressing(b, id))?.reason, { timeout: 30_000 }).toBe('ForeignInstance');
    expect(await b.cli('takeover', '--install', a.name, '--no-watch')).toContain(`${id}: 1 stopped`);
    expect((await docker.getContainer(first).inspect()).State.Running).toBe(false);
    await running(b, id);
  });
});

describe('a container of this install that neither log nor documents know', () => {
  it('case E8: is told, keeps running with its volumes, and is adopted by its document or stopped by a command', async () => {
    const [kept, unwanted] = [uniqueId('kept'), uniqueId('unwanted')];
    const a = await open({ env: { GC_GRACE: '0s' } });
    for (const id of [kept, unwanted]) await a.deploy(id);
    const [keptContainer, unwantedContainer] = [await running(a, kept), await running(a, unwanted)];
    await a.drover.end('SIGKILL');
    // An older data folder, of the time before both bots.
    const b = await open({ install: a.name, env: { GC_GRACE: '0s' } });
    await expect.poll(() => b.cli('get'), { timeout: 30_000 }).toMatch(/2 containers of this install belong to no bot/);
    const listed = await b.cli('orphans');
    for (const id of [kept, unwanted]) expect(listed).toContain(id);
    expect(b.drover.output()).toMatch(new RegExp(`"bot":"${kept}".*a container of this install belongs to no bot`));
    expect(await b.dependency('orphans')).toMatchObject({
      ok: false,
      detail: expect.stringContaining(kept) as unknown,
    });

    await b.deploy(kept);
    await expect.poll(() => b.cli('transitions', kept)).toContain('ContainerAdopted');
    await expect.poll(() => b.cli('orphans')).not.toContain(kept);
    expect(await b.cli('orphans', '--stop', unwanted)).toBe(`${unwanted}: 1 stopped\n`);
    await expect(docker.getContainer(unwantedContainer).inspect()).rejects.toMatchObject({ statusCode: 404 });
    expect(await b.cli('orphans')).toBe('no orphans\n');
    expect(await b.drover.bot(kept)).toMatchObject({ wanted: true });
    expect(keptContainer).not.toBe('');
    const { Volumes } = await docker.listVolumes({
      filters: { label: [`drover.install=${a.name}`, `runtime.id=${unwanted}`] },
    });
    expect(Volumes.length).toBeGreaterThan(0);
    await expect(b.cli('orphans', '--stop', kept)).rejects.toThrow(/belongs to a bot/);
  });
});
