/** The controller as a process of its own, killed and started again under running bots (features B5, C14, J1). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import { runDrover, startDrover, type DroverProcess } from '../../scripts/drover-process.ts';
import type { RunningBot } from '../../src/domain/running-bot.ts';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');
const BOTS = ['node-ticker', 'python-momentum'];

describe('a controller that dies', () => {
  let dataDir: string;
  let install: string;
  let env: Record<string, string>;
  let drover: DroverProcess;
  let isUp = false;

  const start = async (): Promise<void> => {
    drover = await startDrover({ port: await freePort(), env });
    isUp = true;
  };
  const ends = async (signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<void> => {
    isUp = false;
    await drover.end(signal);
  };
  const running = async (id: string): Promise<RunningBot> => {
    let bot: RunningBot | undefined;
    await expect
      .poll(async () => (bot = await drover.bot(id))?.state, {
        message: drover.output(),
      })
      .toBe('running');
    return bot as RunningBot;
  };
  const all = (): Promise<RunningBot[]> => Promise.all(BOTS.map(running));
  const startedAt = (bots: readonly RunningBot[]): Promise<string[]> =>
    Promise.all(
      bots.map(async ({ containerId }) => (await docker.getContainer(containerId ?? '').inspect()).State.StartedAt),
    );

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'drover-death-'));
    install = newInstall();
    env = {
      DOCKER_HOST: HOST,
      RUNTIME_IMAGE: IMAGE,
      DROVER_DATA_DIR: dataDir,
      INSTALL_ID: install,
      LOG_FORMAT: 'json',
      BACKOFF_FIRST: '300ms',
      HEALTHY_AFTER: '1s',
      RECONCILE_INTERVAL: '5s',
    };
    await start();
    await runDrover(['apply', ...BOTS.map((name) => join(EXAMPLES, name))], { ...env, DROVER_URL: drover.url });
  });
  // All tests have the same bots and data: what one of them that failed has left is taken over as after any other death.
  beforeEach(async () => {
    if (!isUp) await start();
  });
  afterAll(async () => {
    await ends('SIGKILL');
    await removeInstall(docker, install);
    await rm(dataDir, { recursive: true, force: true });
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
    'by %s leaves every bot running, and takes them over again',
    async (signal) => {
      const before = await all();
      const since = await startedAt(before);
      const begun = performance.now();
      await ends(signal);
      // Fault R22: its 10 s are those of a machine that does nothing else.
      expect(performance.now() - begun).toBeLessThan(20_000);
      expect(await startedAt(before)).toEqual(since);
      await start();
      const after = await all();
      expect(after.map(({ containerId }) => containerId)).toEqual(before.map(({ containerId }) => containerId));
      expect(await startedAt(after)).toEqual(since);
      await expect.poll(() => drover.output()).toContain('took over a bot and its container');
    },
  );

  it('has the same state and containers without its snapshots: the log is the state', async () => {
    const before = await all();
    await expect.poll(async () => (await drover.bot(BOTS[0] ?? ''))?.conditions.length).toBeGreaterThan(0);
    await ends('SIGKILL');
    const stores = await openEmbeddedStores({ dataDir, installId: install, writer: 'test', now: () => Date.now() });
    await stores.snapshots.clear();
    await stores.close();
    await start();
    const after = await all();
    const facts = (bots: readonly RunningBot[]) =>
      bots.map(({ botId, containerId, state, generation, attempt, startTime, restarts }) => ({
        botId,
        containerId,
        state,
        generation,
        attempt,
        startTime,
        restarts,
      }));
    expect(facts(after)).toEqual(facts(before));
  });

  it('finds what happened while it was down: a crash, a change of the document', async () => {
    const [node, python] = await all();
    await ends('SIGKILL');
    await docker.getContainer(node?.containerId ?? '').kill();
    const stores = await openEmbeddedStores({ dataDir, installId: install, writer: 'test', now: () => Date.now() });
    const record = await stores.specs.read('python-momentum');
    const document = record?.document as { config: object };
    const asked = { requestId: 'r1', actor: 'test', action: 'apply', at: Date.now() };
    await stores.specs.put('python-momentum', { ...document, config: { ...document.config, lookback: 3 } }, asked);
    await stores.close();
    await start();
    await expect
      .poll(async () => (await drover.bot('python-momentum'))?.observedGeneration)
      .toBe((python?.generation ?? 0) + 1);
    const after = await all();
    expect(after[0]?.containerId).not.toBe(node?.containerId);
    expect(after[0]?.lastExit).toMatchObject({ exitCode: 137, class: 'killedByOthers' });
    expect(after[1]?.attempt).toBe((python?.attempt ?? 0) + 1);
  });

  it('a second one on the same data folder is refused and says so', async () => {
    await all();
    await expect(startDrover({ port: await freePort(), env })).rejects.toThrow(/STORE_LOCKED/);
    expect(await all()).toHaveLength(2);
  });

  it('drain stops everything, lasts over a restart, and is undone', async () => {
    await all();
    const cli = { ...env, DROVER_URL: drover.url };
    await runDrover(['drain', '--reason', 'maintenance'], cli);
    const left = async (): Promise<number> =>
      (await docker.listContainers({ filters: { label: [`drover.install=${install}`] } })).length;
    await expect.poll(left).toBe(0);
    await ends('SIGKILL');
    await start();
    await expect.poll(async () => (await drover.bot('node-ticker'))?.state).toBe('stopped');
    await runDrover(['drain', '--undo'], { ...env, DROVER_URL: drover.url });
    await all();
  });
});
