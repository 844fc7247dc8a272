/** Containers of the bot image as a hand would run them, without a controller: `runtime` with its own flags. */
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { DELIVERY } from '../../src/domain/delivery.ts';
import { docker, IMAGE } from './spine.ts';

export interface HandRun {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Volume → where. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Path → content, owned by the bot. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

export interface HandContainer {
  readonly container: Docker.Container;
  /** Exit code, and all that it printed. */
  ended(): Promise<{ readonly code: number; readonly output: string }>;
  output(): Promise<string>;
  /** Answer of a server in it. */
  ask(port: number, path: string): Promise<{ readonly status: number; readonly body: string } | undefined>;
}

/** The embedded store on a volume at its place, as the controller would tell it. */
export const FOLDER_ACCESS = {
  [DELIVERY.accessFile]: JSON.stringify({ kind: 'folder', path: DELIVERY.archiveMount }),
} as const;

export const createHands = () => {
  const containers: Docker.Container[] = [];
  const volumes = new Set<string>();
  const run = async ({ args, env = {}, volumes: mounts = {}, files = {} }: HandRun): Promise<HandContainer> => {
    const container = await docker.createContainer({
      Image: IMAGE,
      Cmd: ['/app/runtime', ...args],
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      HostConfig: {
        Binds: Object.entries(mounts).map(([volume, path]) => `${volume}:${path}`),
      },
    });
    containers.push(container);
    for (const volume of Object.keys(mounts)) volumes.add(volume);
    const tar = pack();
    for (const [path, content] of Object.entries(files)) {
      tar.entry({ name: path.replace(/^\//, ''), uid: 1_000, gid: 1_000, mode: 0o644 }, content as string);
    }
    tar.finalize();
    await container.putArchive(await buffer(tar), { path: '/' });
    await container.start();
    const output = async (): Promise<string> =>
      (await container.logs({ stdout: true, stderr: true, follow: false })).toString('utf8');
    return {
      container,
      output,
      async ended() {
        const { StatusCode } = (await container.wait()) as { StatusCode: number };
        return { code: StatusCode, output: await output() };
      },
      async ask(port, path) {
        const { NetworkSettings } = await container.inspect();
        const [network] = Object.values(NetworkSettings.Networks);
        try {
          const answer = await fetch(`http://${network?.IPAddress ?? ''}:${String(port)}${path}`);
          return { status: answer.status, body: await answer.text() };
        } catch {
          return undefined;
        }
      },
    };
  };
  return {
    run,
    async end() {
      for (const container of containers) await container.remove({ force: true });
      for (const volume of volumes) await docker.getVolume(volume).remove({ force: true });
    },
  };
};
