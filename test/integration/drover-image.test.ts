/** drover in its own image, made and hardened as the compose file has it, on the embedded default and a real engine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ensureDroverImage } from '../../scripts/build-drover-image.ts';
import { runDrover } from '../../scripts/drover-process.ts';
import { freePort } from '../../scripts/free-port.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import type { RunningBot } from '../../src/domain/running-bot.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

interface Service {
  readonly cap_drop: string[];
  readonly security_opt: string[];
  readonly read_only: boolean;
  readonly tmpfs: string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

const ROOT = join(import.meta.dirname, '../..');
const SOCKET = HOST.replace('unix://', '');
const { services } = parse(readFileSync(join(ROOT, 'compose/docker-compose.yml'), 'utf8')) as {
  services: { drover: Service };
};
const service = services.drover;

describe.skipIf(!HOST.startsWith('unix://'))('the image of drover', () => {
  const install = newInstall();
  const volume = `drover-image-test-${install}`;
  let url: string;
  let container: Docker.Container;

  const exec = async (...command: string[]): Promise<{ code: number | null; output: string }> => {
    const made = await container.exec({ Cmd: command, AttachStdout: true, AttachStderr: true, Tty: true });
    const output = await buffer(await made.start({ Tty: true }));
    return { code: (await made.inspect()).ExitCode, output: output.toString() };
  };
  const logs = async (): Promise<string> => (await container.logs({ stdout: true, stderr: true })).toString();
  const answers = (path: string): Promise<number> =>
    fetch(url + path).then(
      ({ status }) => status,
      () => 0,
    );
  const bot = async (): Promise<RunningBot | undefined> => {
    const response = await fetch(`${url}/v1/bots/node-ticker`).catch(() => undefined);
    return response?.ok === true ? ((await response.json()) as RunningBot) : undefined;
  };
  const running = async (): Promise<string> => {
    await expect.poll(async () => (await bot())?.state).toBe('running');
    return (await bot())?.containerId ?? '';
  };

  beforeAll(async () => {
    const image = await ensureDroverImage({ docker, progress: () => undefined });
    const port = await freePort();
    url = `http://127.0.0.1:${String(port)}`;
    container = await docker.createContainer({
      name: volume,
      Image: image,
      Env: [
        'DOCKER_HOST=unix:///var/run/docker.sock',
        `HTTP_PORT=${String(port)}`,
        `DROVER_URL=${url}`,
        `INSTALL_ID=${install}`,
        'FOREIGN_INSTALLS=ignore',
        `RUNTIME_IMAGE=${IMAGE}`,
      ],
      HostConfig: {
        NetworkMode: 'host',
        Binds: [`${SOCKET}:/var/run/docker.sock`, `${volume}:/var/lib/drover`],
        CapDrop: service.cap_drop,
        SecurityOpt: service.security_opt,
        ReadonlyRootfs: service.read_only,
        Tmpfs: Object.fromEntries(service.tmpfs.map((path) => [path, ''])),
      },
    });
    await container.start();
  });
  afterAll(async () => {
    await container.remove({ force: true });
    await removeInstall(docker, install);
    await docker.getVolume(volume).remove();
  });

  it('answers, and is healthy by the check of the compose file', async () => {
    await expect.poll(() => answers('/healthz')).toBe(200);
    await expect.poll(() => answers('/readyz'), { message: await logs() }).toBe(200);
    // Compose writes `$$` for `$`.
    const [, ...check] = service.healthcheck.test.map((part) => part.replaceAll('$$', '$'));
    expect(await exec(...check)).toMatchObject({ code: 0 });
    const elsewhere = ['env', 'HTTP_PORT=1', ...check];
    expect(await exec(...elsewhere)).toMatchObject({ code: 1 });
  });
  it('runs a bot that is applied from the host, and has the command line inside', async () => {
    await runDrover(['apply', join(ROOT, 'examples/node-ticker')], { DROVER_URL: url });
    const id = await running();
    const said = async (): Promise<string> => (await docker.getContainer(id).logs({ stdout: true })).toString();
    await expect.poll(said).toContain('BTC-USD');
    expect(await exec('drover', 'get')).toMatchObject({
      code: 0,
      output: expect.stringContaining('running') as string,
    });
    expect(await logs()).toContain('ContainerStarted');
  });
  it('dies and comes back without hurting the bot, and ends when it is asked to', async () => {
    const id = await running();
    const since = (await docker.getContainer(id).inspect()).State.StartedAt;
    await container.kill();
    await container.start();
    await expect.poll(() => answers('/readyz')).toBe(200);
    expect(await running()).toBe(id);
    await container.stop({ t: 30 });
    const { State: state } = await container.inspect();
    expect(state.ExitCode).toBe(0);
    expect((await docker.getContainer(id).inspect()).State).toMatchObject({ Running: true, StartedAt: since });
  });
});
