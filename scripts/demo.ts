/** `npm run demo`: the main job on the embedded default. `-- --once` plays the whole story by itself and cleans up. */
import { rm, mkdtemp } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import ora from 'ora';
import pc from 'picocolors';
import { toDroverError } from '../src/domain/errors.ts';
import { buildDrover } from './build-drover.ts';
import { ensureBotImage } from './build-image.ts';
import { dockerAt } from './docker-at.ts';
import { ensureEngine } from './ensure-engine.ts';
import { freePort } from './free-port.ts';
import { removeInstall } from './remove-install.ts';
import { playStory, type DemoSetting } from './demo/story.ts';
import { createSteps } from './demo/steps.ts';

const NETWORK = 'drover-bots';

const withProgress = async <T>(
  title: string,
  work: (progress: (step: string, detail?: string) => void) => Promise<T>,
) => {
  const spinner = ora({ text: title, stream: process.stdout }).start();
  try {
    const result = await work((step, detail) => {
      spinner.text = `${title}: ${step}${detail === undefined ? '' : pc.dim(` ${detail.slice(0, 80)}`)}`;
      // Without a terminal a spinner shows nothing while it turns.
      if (!process.stdout.isTTY) console.log(`  ${title}: ${step}`);
    });
    spinner.succeed(title);
    return result;
  } catch (error) {
    spinner.fail(title);
    throw error;
  }
};

const prepare = async (
  steps: ReturnType<typeof createSteps>,
): Promise<{ docker: Docker; host: string; image: string }> => {
  const { host } = await steps.run('engine', 'find or start a Docker Engine', () =>
    withProgress('Docker Engine', (progress) =>
      ensureEngine((step, detail) => {
        progress(step, detail);
      }),
    ),
  );
  const docker = dockerAt(host);
  const image = await steps.run('image', 'get the bot image', () =>
    withProgress('bot image', (progress) => ensureBotImage({ docker, progress })),
  );
  await buildDrover();
  return { docker, host, image };
};

const hasNetwork = async (docker: Docker): Promise<boolean> =>
  (await docker.listNetworks({ filters: { name: [NETWORK] } })).some(({ Name }) => Name === NETWORK);

const main = async (once: boolean): Promise<number> => {
  const steps = createSteps();
  const abort = new AbortController();
  const dataDir = await mkdtemp(join(tmpdir(), 'drover-demo-'));
  const install = `demo${randomBytes(3).toString('hex')}`;
  let cleanUp = (): Promise<void> => Promise.resolve();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      abort.abort();
    });
  let failed: unknown;
  try {
    const { docker, host, image } = await prepare(steps);
    const hadNetwork = await hasNetwork(docker);
    const setting: DemoSetting = {
      steps,
      docker,
      install,
      port: await freePort(),
      signal: abort.signal,
      env: {
        DOCKER_HOST: host,
        DROVER_DATA_DIR: dataDir,
        INSTALL_ID: install,
        FOREIGN_INSTALLS: 'ignore',
        RUNTIME_IMAGE: image,
        LOG_LEVEL: 'INFO',
        LOG_FORMAT: 'pretty',
        DROVER_URL: '',
      },
    };
    cleanUp = async () => {
      await removeInstall(docker, install, hadNetwork ? undefined : NETWORK);
    };
    await playStory(setting, once);
  } catch (error) {
    if (!abort.signal.aborted) failed = error;
  }
  await steps
    .run('clean', 'remove what the demo made', async () => {
      await cleanUp();
      await rm(dataDir, { recursive: true, force: true });
    })
    .catch((error: unknown) => (failed ??= error));
  if (once) console.log(steps.table());
  if (failed === undefined) return 0;
  const error = toDroverError(failed);
  console.error(`${pc.red(`demo failed at "${steps.failedAt() ?? 'set-up'}"`)}: ${error.message} [${error.code}]`);
  console.error(`  → ${error.remedy}`);
  return 1;
};

process.exitCode = await main(process.argv.includes('--once'));
