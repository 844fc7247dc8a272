/** Containers of the bot image as a hand would run them, without a controller: `runtime` with its own flags. */
import { buffer } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { DELIVERY } from '../../src/domain/delivery.ts';
import { docker, IMAGE } from './spine.ts';

export interface HandRun {
  /** Of `runtime`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Volume → where. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Path → content, owned by the bot. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

export interface HandEnd {
  readonly code: number;
  readonly output: string;
}

export interface HandContainer {
  readonly container: Docker.Container;
  /** Exit code, and all that it printed. */
  ended(): Promise<HandEnd>;
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
  /** `runtime` with each of these arguments, one after the other in one container. */
  const runAll = async (all: readonly (readonly string[])[]): Promise<readonly HandEnd[]> => {
    const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
    const MARK = 'ended with';
    const lines = all.map(
      (args) => `/app/runtime ${args.map(quoted).join(' ')} 2>&1; code=$?; echo; echo "${MARK} $code"`,
    );
    const container = await docker.createContainer({
      Image: IMAGE,
      Entrypoint: ['sh', '-c', lines.join('\n')],
      Cmd: [],
      // Else the engine puts a header before each piece.
      Tty: true,
    });
    containers.push(container);
    await container.start();
    await container.wait();
    const printed = (await container.logs({ stdout: true, stderr: true })).toString('utf8');
    const ends = [...printed.matchAll(new RegExp(`([^]*?)\r?\n${MARK} (\\d+)\r?\n`, 'g'))];
    return ends.map(([, output = '', code]) => ({ code: Number(code), output }));
  };
  return {
    run,
    runAll,
    async end() {
      for (const container of containers) await container.remove({ force: true, v: true });
      for (const volume of volumes) await docker.getVolume(volume).remove({ force: true });
    },
  };
};
