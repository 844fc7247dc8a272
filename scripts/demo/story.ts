/** The story: two bots start, one is killed, changed, disabled, enabled; the controller dies and nothing happens to them. */
import { join, resolve } from 'node:path';
import type Docker from 'dockerode';
import pc from 'picocolors';
import type { RunningBot } from '../../src/domain/running-bot.ts';
import { runDrover, startDrover, type DroverProcess } from '../drover-process.ts';
import type { createSteps } from './steps.ts';
import { until } from '../until.ts';

export interface DemoSetting {
  readonly steps: ReturnType<typeof createSteps>;
  readonly docker: Docker;
  readonly install: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const EXAMPLES = resolve(import.meta.dirname, '../../examples');
const BOTS = { node: 'node-ticker', python: 'python-momentum' } as const;
const STEP_MS = 120_000;

/** A demo that hangs must say at what. */
const waitFor = <T>(what: string, signal: AbortSignal, look: () => Promise<T | undefined>) =>
  until(look, { within: STEP_MS, every: 30, signal, otherwise: () => `timed out while waiting for ${what}` });

export const playStory = async (setting: DemoSetting, once: boolean): Promise<void> => {
  const { steps, docker, env, port, signal } = setting;
  const begin = (): Promise<DroverProcess> =>
    startDrover({
      port,
      env: { ...env, FORCE_COLOR: pc.isColorSupported ? '1' : '0' },
      onLine: (line) => {
        console.log(`  ${pc.dim('│')} ${line}`);
      },
    });
  let drover = await steps.run('up', 'start drover', begin);
  const running = (id: string, since?: RunningBot): Promise<RunningBot> =>
    waitFor(`${id} to run`, signal, async () => {
      const bot = await drover.bot(id);
      return bot?.state === 'running' && bot.containerId !== null && bot.containerId !== since?.containerId
        ? bot
        : undefined;
    });
  const now = async (id: string): Promise<RunningBot> => running(id);
  const short = (bot: RunningBot): string => bot.containerId?.slice(0, 12) ?? '';
  const ok = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await drover.call(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path} → ${String(answer.status)} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };

  const changeConfig = async (id: string): Promise<void> => {
    const { document } = (await ok('GET', `/v1/bots/${id}?secrets=true`)) as { document: { config: object } };
    await ok('PUT', `/v1/bots/${id}`, { ...document, config: { ...document.config, interval_ms: 500 } });
  };

  try {
    await steps.run('deploy', 'apply a Node bot and a Python bot', async () => {
      await runDrover(['apply', join(EXAMPLES, BOTS.node), join(EXAMPLES, BOTS.python)], {
        ...env,
        DROVER_URL: drover.url,
      });
      const bots = await Promise.all([running(BOTS.node), running(BOTS.python)]);
      return `running: ${bots.map(short).join(', ')}`;
    });
    if (!once) {
      console.log(
        `\n  The API is at ${drover.url}; try ${pc.bold(`DROVER_URL=${drover.url} npx drover get`)}. Ctrl-C ends the demo.`,
      );
      await new Promise<void>((done) => {
        if (signal.aborted) done();
        signal.addEventListener('abort', () => {
          done();
        });
      });
      return;
    }
    await steps.run('crash', 'kill the Node bot with docker kill: drover restarts it after 1 s', async () => {
      const before = await now(BOTS.node);
      await docker.getContainer(before.containerId ?? '').kill();
      return `${short(before)} → ${short(await running(BOTS.node, before))}`;
    });
    await steps.run('change', 'change the configuration of the Python bot: drover restarts it once', async () => {
      const before = await now(BOTS.python);
      await changeConfig(BOTS.python);
      const after = await running(BOTS.python, before);
      return `generation ${String(before.generation)} → ${String(after.generation)}`;
    });
    await steps.run('disable', 'disable the Node bot: drover stops and removes its container', async () => {
      await ok('POST', `/v1/bots/${BOTS.node}/disable`, {});
      await waitFor(`${BOTS.node} to stop`, signal, async () =>
        (await drover.bot(BOTS.node))?.state === 'stopped' ? true : undefined,
      );
      return 'stopped';
    });
    await steps.run('enable', 'enable the Node bot again', async () => {
      await ok('POST', `/v1/bots/${BOTS.node}/enable`, {});
      return `running: ${short(await now(BOTS.node))}`;
    });
    await steps.run('kill -9', 'kill the controller and start it again: the containers stay the same', async () => {
      const before = await Promise.all([now(BOTS.node), now(BOTS.python)]);
      await drover.end('SIGKILL');
      drover = await begin();
      const after = await Promise.all([now(BOTS.node), now(BOTS.python)]);
      const ids = (bots: readonly RunningBot[]): string => bots.map(({ containerId }) => containerId).join();
      const started = await Promise.all(
        before.map(({ containerId }) => docker.getContainer(containerId ?? '').inspect()),
      );
      if (ids(before) !== ids(after)) throw new Error(`containers changed: ${ids(before)} → ${ids(after)}`);
      if (started.some(({ State }) => !State.Running)) throw new Error('a bot did not survive its controller');
      return `unchanged: ${after.map(short).join(', ')}`;
    });
    await steps.run('delete', 'delete both bots', async () => {
      for (const id of Object.values(BOTS)) await ok('DELETE', `/v1/bots/${id}`);
      await waitFor('the containers of both bots to disappear', signal, async () => {
        const left = await docker.listContainers({
          all: true,
          filters: { label: [`drover.install=${setting.install}`] },
        });
        return left.length === 0 ? true : undefined;
      });
      return 'no container left';
    });
  } finally {
    await drover.end('SIGTERM');
  }
};
