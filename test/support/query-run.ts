/** Ephemeral query containers of the bot image as the controller makes them, with both ends of the conversation in the test. */
import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, type Duplex } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { hardened, tmpfs, USER } from '../../src/adapters/docker/hardened.ts';
import { DELIVERY, DELIVERY_ENV } from '../../src/domain/delivery.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { createFrameParser, encodeWord, type QueryOrder, type QueryWord } from '../../src/domain/query-frames.ts';
import { docker, IMAGE, zipOf } from './spine.ts';

export interface QueryRunOptions {
  /** File → content, packed as the code archive. */
  readonly code: Readonly<Record<string, string>>;
  readonly runtime?: string;
  readonly entrypoint: string;
  readonly config?: JsonObject;
  readonly state?: Extract<QueryOrder, { kind: 'prepare' }>['state'];
  readonly access?: Extract<QueryOrder, { kind: 'prepare' }>['access'];
  readonly maxReplyBytes?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Volume → where, with `:ro` where it is read-only. */
  readonly volumes?: Readonly<Record<string, string>>;
  /** Nothing is said beforehand. */
  readonly silent?: true;
}

export type Answer = QueryWord & { readonly body?: Buffer };

export interface QueryRun {
  readonly container: Docker.Container;
  say(...orders: readonly QueryOrder[]): void;
  raw(bytes: Buffer): void;
  /** The next word that is no `reply` and no `begun`; with all data that came before it. Fails when what comes is no frame, or nothing comes. */
  next(): Promise<Answer>;
  ask(path: string, more?: { params?: JsonObject; timeoutMs?: number }): Promise<Answer>;
  /** What came on standard error. */
  complaints(): string;
  letGo(): void;
  ended(): Promise<number>;
  /** When the engine's call to start it was made; `performance.now()`. */
  readonly startedAt: number;
}

const mount = (name: string, target: string) => ({
  Type: 'volume' as const,
  Source: name,
  Target: target.replace(/:ro$/, ''),
  ReadOnly: target.endsWith(':ro'),
});

export const createQueryRuns = () => {
  const containers: Docker.Container[] = [];
  const volumes = new Set<string>();
  const name = (): string => `drover-query-${randomBytes(4).toString('hex')}`;

  /** A volume that holds these files, owned by the bot. */
  const fill = async (volume: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> => {
    volumes.add(volume);
    const container = await docker.createContainer({ Image: IMAGE, HostConfig: { Binds: [`${volume}:/state`] } });
    const tar = pack();
    for (const [path, content] of Object.entries(files)) {
      tar.entry({ name: path, uid: 1_000, gid: 1_000, mode: 0o644 }, content as string);
    }
    tar.finalize();
    await container.putArchive(await buffer(tar), { path: '/state' });
    await container.remove();
  };

  const caches = new Map<string, Promise<{ readonly volume: string; readonly digest: string }>>();
  /** Code on a volume to which nobody can write: one for all that have the same. */
  const cacheOf = (code: QueryRunOptions['code']) => {
    const made = async () => {
      const archive = await buffer(zipOf(code));
      const digest = createHash('sha256').update(archive).digest('hex');
      const volume = name();
      await fill(volume, { [`${digest}.zip`]: archive });
      return { volume, digest };
    };
    const key = JSON.stringify(code);
    const cache = caches.get(key) ?? made();
    caches.set(key, cache);
    return cache;
  };

  /** Made and attached to, not started. */
  const make = async (options: QueryRunOptions, command: 'query' | 'execute') => {
    const { code, runtime = 'nodejs20', entrypoint, env = {} } = options;
    const { volume: cache, digest } = await cacheOf(code);
    const ownState = Object.values(options.volumes ?? {}).some((target) => target.startsWith('/state'));
    const mounts = {
      [cache]: `${DELIVERY.codeCache}:ro`,
      ...(ownState ? {} : { [name()]: '/state' }),
      ...options.volumes,
    };
    for (const volume of Object.keys(mounts)) volumes.add(volume);
    const container = await docker.createContainer({
      Image: IMAGE,
      Cmd: ['/app/runtime', command],
      User: USER,
      WorkingDir: '/tmp',
      OpenStdin: true,
      StdinOnce: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Env: Object.entries({
        PYTHONDONTWRITEBYTECODE: '1',
        BOT_ID: 'hand',
        ID: 'hand',
        RUNTIME: runtime,
        ENTRYPOINT: entrypoint,
        QUERY_ENTRYPOINT: entrypoint,
        ENTRYPOINT_TYPE: 'query',
        BOT_TYPE: 'scheduled',
        IS_SCHEDULED: 'true',
        CODE_MOUNT_DIR: 'bot',
        CODE_FILE: 'hand.zip',
        STATE_DIR: '/state/.the0-state',
        [DELIVERY_ENV.codeDigest]: digest,
        [DELIVERY_ENV.attempt]: '1',
        [DELIVERY_ENV.incarnation]: '1',
        ...env,
      }).map(([key, value]) => `${key}=${value}`),
      // Volumes beside it, for its code and for what `runtime execute` notes of itself.
      Volumes: { '/var/the0': {}, '/bot': {}, '/tmp': {} },
      HostConfig: {
        ...hardened({ memoryMb: 256, pids: 128 }),
        LogConfig: { Type: 'none', Config: {} },
        Tmpfs: { '/query': tmpfs(64) },
        Mounts: Object.entries(mounts).map(([volume, target]) => mount(volume, target)),
      },
    });
    containers.push(container);
    const stream = (await container.attach({
      stream: true,
      hijack: true,
      stdin: true,
      stdout: true,
      stderr: true,
    })) as unknown as Duplex;
    const [out, errors] = [new PassThrough(), new PassThrough()];
    docker.modem.demuxStream(stream, out, errors);
    const over = (): void => {
      out.end();
      errors.end();
    };
    stream.on('end', over).on('error', over);
    return { container, stream, out, errors };
  };

  const run = async (options: QueryRunOptions): Promise<QueryRun> => {
    const { config = {}, access } = options;
    const { container, stream, out, errors } = await make(options, 'query');
    let complaints = '';
    errors.on('data', (bytes: Buffer) => (complaints += bytes.toString()));
    const answers = (async function* (): AsyncGenerator<Answer, undefined> {
      const parse = createFrameParser();
      let data: Buffer[] = [];
      let reply: Answer | undefined;
      for await (const bytes of out as AsyncIterable<Buffer>) {
        for (const frame of parse(bytes)) {
          if (frame.kind === 'data') {
            data.push(frame.bytes);
            continue;
          }
          const word = JSON.parse(frame.text) as QueryWord;
          if (word.kind === 'begun') continue;
          if (word.kind === 'reply') reply = word;
          else if (word.kind !== 'end') yield word;
          else {
            if (reply === undefined) throw new Error('an end without a reply');
            yield { ...reply, body: Buffer.concat(data) };
            [data, reply] = [[], undefined];
          }
        }
      }
      return undefined;
    })();
    const say = (...orders: readonly QueryOrder[]): void => {
      stream.write(Buffer.concat(orders.map(encodeWord)));
    };
    const next = async (): Promise<Answer> => {
      const { value } = await answers.next();
      if (value === undefined) throw new Error(`the container said nothing more: ${complaints}`);
      return value;
    };
    if (options.silent !== true) {
      const { state = { kind: 'volume' }, maxReplyBytes = 64 * 1024 ** 2 } = options;
      say({ kind: 'prepare', config, state, maxReplyBytes, ...(access === undefined ? {} : { access }) });
    }
    const startedAt = performance.now();
    await container.start();
    let id = 0;
    return {
      container,
      startedAt,
      say,
      raw: (bytes) => void stream.write(bytes),
      next,
      ask: (path, { params = {}, timeoutMs = 240_000 } = {}) => {
        say({ kind: 'ask', id: (id += 1), path, params, timeoutMs });
        return next();
      },
      complaints: () => complaints,
      letGo: () => stream.end(),
      ended: async () => ((await container.wait()) as { StatusCode: number }).StatusCode,
    };
  };
  /** The same query by `runtime execute`, in a container of its own. */
  const runCold = async (options: QueryRunOptions, path: string, params: JsonObject = {}) => {
    const env = {
      QUERY_PATH: path,
      QUERY_PARAMS: JSON.stringify(params),
      BOT_CONFIG: JSON.stringify(options.config ?? {}),
    };
    const { container, stream, out, errors } = await make({ ...options, env: { ...options.env, ...env } }, 'execute');
    const output = Promise.all([text(out), text(errors)]);
    await container.start();
    const { StatusCode: exitCode } = (await container.wait()) as { StatusCode: number };
    stream.end();
    const [printed, complained] = await output;
    return { exitCode, printed, complained };
  };

  return {
    run,
    runCold,
    fill,
    name,
    async end() {
      for (const container of containers) await container.remove({ force: true, v: true });
      for (const volume of volumes) {
        await docker
          .getVolume(volume)
          .remove({ force: true })
          .catch((error: unknown) => {
            // Another hand had it too, and removed it.
            if ((error as { statusCode?: number }).statusCode !== 404) throw error;
          });
      }
    },
  };
};
