/** What an engine, its network and the bots on it can do to the one that keeps them. */
import { mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { dockerAt } from '../../src/adapters/docker/connect.ts';
import { checkNetwork, ensureAnyNetwork, ensureNetwork, OWN_NETWORK } from '../../src/adapters/docker/network.ts';
import { folderAccess } from '../../src/adapters/embedded/folder-access.ts';
import { createFolderArchiveStore } from '../../src/adapters/embedded/folder-archive-store.ts';
import { DELIVERY } from '../../src/domain/delivery.ts';
import { LABEL, volumeName } from '../../src/domain/naming.ts';
import type { Condition, RunningBot } from '../../src/domain/running-bot.ts';
import { realEngine } from '../support/real-engine.ts';
import { docker, HOST, IMAGE, startSpine, type Spine } from '../support/spine.ts';
import { openSocketProxy } from '../support/socket-proxy.ts';
import { newInstall } from '../support/test-run.ts';

let spine: Spine;
/** What the bots' silence is multiplied with: three minutes of a test are too long. */
let silence = 1;
beforeAll(async () => {
  spine = await startSpine({
    resyncIntervalMs: 300,
    wrap: (engine) => ({
      ...engine,
      async observe(id) {
        const seen = await engine.observe(id);
        if (seen.kind !== 'present' || seen.container.reportSilentMs === undefined) return seen;
        return { ...seen, container: { ...seen.container, reportSilentMs: seen.container.reportSilentMs * silence } };
      },
    }),
  });
});
afterAll(() => spine.end());

const toolsOf = async (install: string): Promise<string[]> => {
  const label = [`${LABEL.install}=${install}`, `${LABEL.role}=tool`];
  return (await docker.listContainers({ all: true, filters: { label } })).map(({ Id }) => Id);
};

describe('short-lived containers', () => {
  it('case E9: as many as are asked for at a time, all answered, none left', async () => {
    await spine.deploy('asked-of');
    await spine.reaches('asked-of', 'running');
    const answers = await Promise.all(Array.from({ length: 6 }, () => spine.drover.stateSnapshots.list('asked-of')));
    expect(answers).toHaveLength(6);
    for (const answer of answers) expect(answer).toMatchObject({ snapshots: expect.any(Array) as unknown[] });
    await expect.poll(() => toolsOf(spine.install)).toEqual([]);
  });

  it('case E9: one of a process that was killed is removed, and does not keep the volumes of other bots', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'drover-leftover-'));
    const install = newInstall();
    const first = await startSpine({ dataDir, install, resyncIntervalMs: 300 });
    await first.deploy('left');
    await first.deploy('other');
    await first.reaches('left', 'running');
    await first.reaches('other', 'running');
    await first.halt();
    // As kill -9 leaves it: it runs on, and mounts the volume of one bot.
    const volume = (id: string): string =>
      volumeName({ install, id, incarnation: 1, role: 'state', of: 'bot', run: undefined });
    const left = await docker.createContainer({
      name: `drover-${install}-tool-left-0badcafe`,
      Image: IMAGE,
      Entrypoint: ['sleep', '3600'],
      Labels: {
        [LABEL.install]: install,
        [LABEL.role]: 'tool',
        [LABEL.id]: 'left',
        [LABEL.toolOwner]: 'gone',
        [LABEL.toolFor]: 'bot',
      },
      HostConfig: { Binds: [`${volume('left')}:/state`] },
    });
    await left.start();
    const second = await startSpine({ dataDir, install, resyncIntervalMs: 300, policy: { volumeGraceMs: 1_000 } });
    onTestFinished(() => second.end());
    await expect.poll(() => toolsOf(install)).toEqual([]);
    for (const id of ['left', 'other']) {
      await second.stores.specs.remove(id, { requestId: id, actor: 'test', action: 'delete', at: Date.now() });
    }
    const volumes = async (): Promise<string[]> =>
      (
        await docker.listVolumes({ filters: { label: [`${LABEL.install}=${install}`, `${LABEL.role}=volume`] } })
      ).Volumes.map(({ Name }) => Name);
    await expect.poll(volumes).toEqual([]);
  });
});

/** Puts something else in the place of its report again and again, when it is told what. */
const HOSTILE = `const fs = require('fs');
const report = ${JSON.stringify(DELIVERY.syncReport)};
const stop = () => {
  for (const pid of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const words = fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0');
      if (words.includes('daemon') && words.includes('sync')) process.kill(Number(pid), 'SIGSTOP');
    } catch {}
  }
};
exports.main = async (id, { how }) => {
  process.on('SIGTERM', () => process.exit(0));
  setTimeout(() => {
    stop();
    if (how === 'quiet') return console.log('done');
    fs.rmSync(report, { force: true });
    if (how === 'sparse') { fs.closeSync(fs.openSync(report, 'w')); fs.truncateSync(report, 64 * 1024 ** 3); }
    if (how === 'pipe') require('child_process').execFileSync('mkfifo', [report]);
    if (how === 'folder') fs.mkdirSync(report);
    if (how === 'link') fs.symlinkSync('/dev/zero', report);
    console.log('done');
  }, 1_500);
  await new Promise(() => setInterval(() => {}, 1_000));
};`;

const hostile = async (id: string, how: string): Promise<RunningBot> => {
  await spine.deploy(id, HOSTILE, { config: { how } });
  const bot = await spine.reaches(id, 'running');
  const printed = async (): Promise<string> =>
    (await docker.getContainer(bot.containerId ?? '').logs({ stdout: true, stderr: true })).toString();
  await expect.poll(printed).toContain('done');
  return bot;
};

const conditionOf = (id: string, type: Condition['type']): Condition | undefined =>
  spine.bot(id)?.conditions.find((condition) => condition.type === type);

describe('the report of a bot', () => {
  it.each(['sparse', 'pipe', 'folder', 'link'])(
    'case E11: is not read when something else lies in its place: %s',
    async (how) => {
      const bot = await hostile(`hostile-${how}`, how);
      const archives = await createFolderArchiveStore(join(spine.dataDir, 'archives'));
      const engine = realEngine({ host: HOST, install: spine.install, archives }, { access: folderAccess });
      const before = process.cpuUsage();
      for (let look = 0; look < 3; look += 1) {
        const seen = await engine.observe(`hostile-${how}`);
        expect(seen).toMatchObject({ kind: 'present', container: { ref: { id: bot.containerId } } });
        expect(seen).not.toHaveProperty('container.report');
        await new Promise((resolve) => setTimeout(resolve, 600));
      }
      // 64 GiB of zeros would take a minute of each core.
      expect(process.cpuUsage(before).user).toBeLessThan(5_000_000);
    },
  );

  it('case E11: that grows old though the bot runs is a condition, until the daemon is back', async () => {
    await hostile('hushed', 'quiet');
    silence = 1_000;
    await expect
      .poll(() => conditionOf('hushed', 'StateSynced'))
      .toMatchObject({ status: 'False', reason: 'ReportStale' });
    await expect
      .poll(() => conditionOf('hushed', 'LogsShipped'))
      .toMatchObject({ status: 'False', reason: 'ReportStale' });
    silence = 1;
    await spine.deploy('hushed', undefined, { config: { how: 'well' } });
    await expect
      .poll(() => conditionOf('hushed', 'StateSynced'), { timeout: 90_000 })
      .toMatchObject({ status: 'True' });
  });
});

describe('the network of bots', () => {
  /** A network of the engine as if it had our name, which belongs to all tests. */
  const seenAs = async (options: { Driver?: string; Internal?: boolean; icc?: string }) => {
    const name = `drover-odd-${newInstall()}`;
    const { icc, ...more } = options;
    const network = await docker.createNetwork({
      Name: name,
      ...more,
      ...(icc === undefined ? {} : { Options: { 'com.docker.network.bridge.enable_icc': icc } }),
    });
    onTestFinished(async () => {
      await network.remove();
    });
    const client = dockerAt(HOST);
    return Object.assign(client, {
      listNetworks: async () =>
        (await docker.listNetworks({ filters: { name: [name] } })).map((found) => ({ ...found, Name: OWN_NETWORK })),
      createNetwork: () => Promise.reject(new Error('it is there already')),
    });
  };
  const none = (): void => undefined;

  it.each([
    ['on which bots reach one another', {}, /can reach one another/],
    ['on which that is said', { icc: 'true' }, /can reach one another/],
    ['that is internal', { icc: 'false', Internal: true }, /internal/],
  ])('case E22: one of its name %s is refused by name, and only for code of bots', async (_what, options, why) => {
    const client = await seenAs(options);
    const refusal = { code: 'NETWORK_UNSAFE', message: expect.stringMatching(why) as string };
    await expect(checkNetwork(client, OWN_NETWORK)).rejects.toMatchObject(refusal);
    await expect(ensureNetwork(client, OWN_NETWORK, none)).rejects.toMatchObject(refusal);
    await expect(ensureAnyNetwork(client, OWN_NETWORK, none)).resolves.toBeUndefined();
    await expect(checkNetwork(client, 'another')).resolves.toBe('there');
  });
  it('case E22: one that is as drover makes it is used, and readiness says so', async () => {
    const client = await seenAs({ icc: 'false' });
    await expect(ensureNetwork(client, OWN_NETWORK, none)).resolves.toBeUndefined();
    const network = (await spine.drover.readiness()).find(({ name }) => name === 'network');
    expect(network).toMatchObject({ ok: true });
  });
});

describe('which engine is spoken to', () => {
  it('case E13: the one that was given, whatever the environment names', async () => {
    const before = { ...process.env };
    onTestFinished(() => {
      for (const name of ['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH']) {
        if (before[name] === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = before[name];
      }
    });
    const here = (await dockerAt(HOST).info()) as { readonly ID: string };
    for (const host of ['tcp://127.0.0.1:1', 'ssh://nobody@127.0.0.1', 'nonsense://', 'unix:///nowhere.sock']) {
      Object.assign(process.env, { DOCKER_HOST: host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere' });
      expect(await dockerAt(HOST).info()).toMatchObject({ ID: here.ID });
    }
  });
});

describe('an engine that is dead for seconds', () => {
  it('case E19: leaves its bots unknown, with the reason and since when, and drover not ready', async () => {
    const proxy = await openSocketProxy();
    onTestFinished(() => proxy.close());
    const world = await startSpine({ host: proxy.host, resyncIntervalMs: 60_000 });
    onTestFinished(() => world.end());
    await world.deploy('trader');
    await world.reaches('trader', 'running');
    const { drover } = world;
    expect(drover.troubleOf('trader', true)).toBeUndefined();
    const cutAt = Date.now();
    proxy.cut();
    // Long before the next tick.
    await expect.poll(() => drover.troubleOf('trader', true)).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    expect(drover.troubleOf('trader', true)?.since).toBeGreaterThanOrEqual(cutAt);
    expect((await drover.readiness()).find(({ name }) => name === 'engine')).toMatchObject({ ok: false });
    proxy.restore();
    await expect.poll(() => drover.troubleOf('trader', true)).toBeUndefined();
    await world.reaches('trader', 'running');
  });
});

describe('the disk under the engine', () => {
  it('case E21: is measured where the engine is, also by a drover that does not share its folders', async () => {
    const here = (await docker.info()) as { readonly DockerRootDir: string };
    const { bavail, blocks } = statfsSync(here.DockerRootDir);
    const archives = await createFolderArchiveStore(join(spine.dataDir, 'archives'));
    const freeOf = (DockerRootDir: string): Promise<number | undefined> => {
      // As in the compose file: the socket is there, the folder is not.
      const client = Object.assign(dockerAt(HOST), { info: () => Promise.resolve({ ...here, DockerRootDir }) });
      return realEngine({ host: HOST, install: spine.install, archives }, { docker: client }).diskFree();
    };
    const direct = (await freeOf(here.DockerRootDir)) ?? -1;
    expect(Math.abs(direct - bavail / blocks)).toBeLessThan(0.02);
    const measured = (await freeOf('/nowhere/docker')) ?? -1;
    expect(Math.abs(measured - bavail / blocks)).toBeLessThan(0.02);
    await expect.poll(() => toolsOf(spine.install)).toEqual([]);
  });
});
