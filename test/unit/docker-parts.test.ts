import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectDocker, dockerAt } from '../../src/adapters/docker/connect.ts';
import { createOptions } from '../../src/adapters/docker/create-options.ts';
import { createDeliveredAccess } from '../../src/adapters/docker/deliver-files.ts';
import { shareIn } from '../../src/adapters/docker/disk-free.ts';
import { doneAlso, toEngineError } from '../../src/adapters/docker/docker-errors.ts';
import { createEngineGaps } from '../../src/adapters/docker/engine-gaps.ts';
import { createEventParser } from '../../src/adapters/docker/event-parser.ts';
import { findEngineHosts } from '../../src/adapters/docker/find-engine.ts';
import { createLane } from '../../src/adapters/docker/lanes.ts';
import { boundLines } from '../../src/adapters/docker/log-tail.ts';
import { createTools } from '../../src/adapters/docker/tools.ts';
import { toStatus } from '../../src/adapters/docker/observe.ts';
import { putFiles } from '../../src/adapters/docker/put-files.ts';
import { readSmallFile } from '../../src/adapters/docker/small-file.ts';
import { aSpec } from '../support/given.ts';

const answer = (statusCode: number, message: string): unknown => Object.assign(new Error(message), { statusCode });
const socket = (code: string): unknown => Object.assign(new Error(`connect ${code}`), { code });

describe('errors of the engine', () => {
  it.each([
    [socket('ECONNREFUSED'), 'ENGINE_UNAVAILABLE'],
    [socket('ENOENT'), 'ENGINE_UNAVAILABLE'],
    [new Error('socket hang up'), 'ENGINE_UNAVAILABLE'],
    [answer(500, 'no available IPv4 addresses on this network'), 'NETWORK_EXHAUSTED'],
    [answer(409, 'removal of container x is already in progress'), 'NAME_BUSY'],
    [answer(400, 'invalid CPU shares'), 'ENGINE_REFUSED'],
    [answer(500, 'whatever'), 'ENGINE_ERROR'],
  ])('%# become %s of the table', (thrown, code) => {
    expect(toEngineError(thrown).code).toBe(code);
  });
  it('that mean "done already" are none', async () => {
    await expect(doneAlso([304], () => Promise.reject(answer(304, 'already') as Error))).resolves.toBeUndefined();
    await expect(doneAlso([304], () => Promise.reject(answer(404, 'gone') as Error))).rejects.toThrow('gone');
  });
});

describe('the event stream', () => {
  const event = (action: string, extra = ''): string =>
    `{"Action":"${action}","Actor":{"ID":"c1","Attributes":{"runtime.id":"größe"${extra}}},"timeNano":1700000000000000001}\n`;
  it('is read whatever its chunks are cut at', () => {
    const bytes = Buffer.from(event('start') + event('die') + event('destroy'));
    for (let size = 1; size < 40; size += 1) {
      const parse = createEventParser();
      const actions: string[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        actions.push(...parse(bytes.subarray(at, at + size)).map(({ action, botId }) => `${action} ${botId}`));
      }
      expect(actions).toEqual(['start größe', 'die größe', 'destroy größe']);
    }
  });
  it('survives what is no event', () => {
    const parse = createEventParser();
    const read = parse(Buffer.from(`nonsense\n{"a":1}\n[]\n\n${event('die')}{"Action":7}\n`));
    expect(read.map(({ action }) => action)).toEqual(['die']);
  });
});

describe('the log tail', () => {
  it('is bounded in lines, in length, and in sum', () => {
    const many = Array.from({ length: 100 }, (_, n) => `line ${String(n)}`).join('\n');
    expect(boundLines(many)).toHaveLength(20);
    expect(boundLines(many).at(-1)).toBe('line 99');
    const long = boundLines(Array.from({ length: 20 }, () => 'x'.repeat(5_000)).join('\n'));
    expect(long.join('').length).toBeLessThanOrEqual(4_096);
    expect(long.every((line) => line.length <= 500)).toBe(true);
    expect(boundLines('a\r\n\r\nb')).toEqual(['a', 'b']);
  });
});

describe('engine gaps', () => {
  it('hold while the engine is away, and a little around it', () => {
    const gaps = createEngineGaps();
    expect(gaps.includes(10_000)).toBe(false);
    gaps.lost(10_000);
    gaps.lost(12_000);
    expect([gaps.includes(7_000), gaps.includes(8_500), gaps.includes(99_000)]).toEqual([false, true, true]);
    gaps.back(20_000);
    expect([gaps.includes(15_000), gaps.includes(20_500), gaps.includes(22_000)]).toEqual([true, true, false]);
  });
});

describe('engine gaps of an engine that shuts down', () => {
  it('begin with the first refused call, though the stream still stands', () => {
    const gaps = createEngineGaps();
    gaps.refused(10_000);
    gaps.lost(41_000);
    gaps.answered(42_000);
    expect([gaps.includes(11_000), gaps.includes(42_000)]).toEqual([true, true]);
    gaps.back(50_000);
    expect([gaps.includes(11_000), gaps.includes(60_000)]).toEqual([true, false]);
  });
  it('end with the next answer when the stream never broke off', () => {
    const gaps = createEngineGaps();
    gaps.refused(10_000);
    gaps.answered(12_000);
    expect([gaps.includes(11_000), gaps.includes(20_000)]).toEqual([true, false]);
  });
});

describe('files for a container', () => {
  const files = new Map([['/var/the0/a.json', '{}']]);
  const { signal: abortSignal } = new AbortController();
  const sendingTo = (sent: unknown[]) =>
    ({ putArchive: (archive: unknown) => Promise.resolve(sent.push(archive)) }) as never;

  it('are sent in the same turn in which they were allowed: all of them are ready by then', async () => {
    const happened: unknown[] = [];
    const mayAct = (): void => {
      happened.push('allowed');
      queueMicrotask(() => happened.push('a turn later'));
    };
    await putFiles(sendingTo(happened), { files, mayAct, abortSignal });
    expect(happened).toEqual(['allowed', expect.any(Buffer), 'a turn later']);
  });
  it('are not sent when they are allowed no more', async () => {
    const sent: unknown[] = [];
    const mayAct = (): never => {
      throw new Error('its term is over');
    };
    await expect(putFiles(sendingTo(sent), { files, mayAct, abortSignal })).rejects.toThrow('its term is over');
    expect(sent).toEqual([]);
  });
});

describe('a small file of a container', () => {
  const archiveOf = async (...files: readonly (readonly [string, string])[]): Promise<Buffer> => {
    const tar = pack();
    for (const [name, text] of files) tar.entry({ name }, text);
    tar.finalize();
    return buffer(tar);
  };
  /** A container whose archive comes in pieces. */
  const giving = (...pieces: readonly Buffer[]): Docker.Container =>
    ({ getArchive: () => Promise.resolve(Readable.from(pieces)) }) as unknown as Docker.Container;

  it('is its text; empty when there is none, and when it is too large', async () => {
    const whole = await archiveOf(['exit.json', '{}'], ['other', 'x']);
    expect(await readSmallFile(giving(whole.subarray(0, 700), whole.subarray(700)), '/exit.json')).toBe('{}');
    expect(await readSmallFile(giving(await archiveOf()), '/exit.json')).toBe('');
    const large = await archiveOf(['exit.json', 'x'.repeat(65 * 1024)]);
    expect(await readSmallFile(giving(large), '/exit.json')).toBe('');
  });

  it('is refused when its archive ends in its middle, and nothing else is the worse for it', async () => {
    const whole = await archiveOf(['exit.json', 'x'.repeat(5_000)], ['other', 'y'.repeat(5_000)]);
    // An error of a stream that nobody listens to would end the process: the run of tests fails then.
    const uncaught: unknown[] = [];
    const note = (thrown: unknown): number => uncaught.push(thrown);
    process.on('uncaughtException', note);
    onTestFinished(() => void process.off('uncaughtException', note));
    for (const end of [100, 512, 600, 2_000, 7_000]) {
      const pieces = [whole.subarray(0, Math.min(end, 600)), whole.subarray(Math.min(end, 600), end)];
      await expect(
        readSmallFile(giving(...pieces.filter(({ length }) => length > 0)), '/exit.json'),
        `the first ${String(end)} bytes`,
      ).rejects.toThrow('Unexpected end of data');
      await setImmediate();
    }
    expect(uncaught).toEqual([]);
  });
});

describe('the free share of a disk', () => {
  it('case E21: is read from what a container measured, and nothing else', () => {
    expect(shareIn('25 100\n')).toBe(0.25);
    for (const text of ['', '0 0', 'stat: not found', '-1 5', '1 2 3', '1.5 3']) expect(shareIn(text)).toBeUndefined();
  });
});

describe('a lane', () => {
  it('lets so many in at once, and the others in their turn', async () => {
    const lane = createLane({ name: 'test', width: 3, deadlineMs: 10_000 });
    let inFlight = 0;
    let most = 0;
    const call = async (): Promise<void> => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inFlight -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, () => lane(call)));
    expect(most).toBe(3);
  });
  it('gives up a call at its deadline, aborts it, and takes the next', async () => {
    const lane = createLane({ name: 'test', width: 1, deadlineMs: 30 });
    let aborted = false;
    const hung = lane(
      (signal) =>
        new Promise<never>(() => {
          signal.addEventListener('abort', () => (aborted = true));
        }),
    );
    const next = lane(() => Promise.resolve('next'));
    await expect(hung).rejects.toMatchObject({ code: 'ENGINE_TIMEOUT' });
    expect(aborted).toBe(true);
    await expect(next).resolves.toBe('next');
  });
  it('is free again after a call that failed', async () => {
    const lane = createLane({ name: 'test', width: 1, deadlineMs: 1_000 });
    await expect(lane(() => Promise.reject(answer(500, 'no') as Error))).rejects.toMatchObject({
      code: 'ENGINE_ERROR',
    });
    await expect(lane(() => Promise.resolve(1))).resolves.toBe(1);
  });
});

describe('where the engine is', () => {
  it('DOCKER_HOST alone when it is set, else the context, else the usual socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-docker-'));
    const meta = join(folder, 'contexts/meta', createHash('sha256').update('remote').digest('hex'));
    mkdirSync(meta, { recursive: true });
    writeFileSync(join(meta, 'meta.json'), '{"Endpoints":{"docker":{"Host":"tcp://far:2375"}}}');
    writeFileSync(join(folder, 'config.json'), '{"currentContext":"remote"}');
    const usual = ['unix:///var/run/docker.sock', 'unix:///run/podman/podman.sock'];
    expect(await findEngineHosts({ DOCKER_HOST: 'tcp://here:1' })).toEqual(['tcp://here:1']);
    expect(await findEngineHosts({ DOCKER_CONFIG: folder })).toEqual(['tcp://far:2375', ...usual]);
    expect(await findEngineHosts({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'default' })).toEqual(usual);
    expect(await findEngineHosts({ DOCKER_CONFIG: join(folder, 'nowhere') })).toEqual(usual);
    writeFileSync(join(folder, 'config.json'), 'broken');
    expect(await findEngineHosts({ DOCKER_CONFIG: folder })).toEqual(usual);
    rmSync(folder, { recursive: true });
  });
  it('for a fleet: what was chosen, else Docker’s own socket, though another engine is there and this one is not', async () => {
    const root = mkdtempSync(join(tmpdir(), 'drover-docker-'));
    onTestFinished(() => {
      rmSync(root, { recursive: true });
    });
    const env = { HOME: join(root, 'home'), XDG_RUNTIME_DIR: join(root, 'run/user/1') };
    const chosen = async (more: Record<string, string> = {}): Promise<unknown> =>
      ((await connectDocker({ ...env, ...more }, root)).modem as { socketPath?: unknown }).socketPath;
    const other = join(root, 'run/podman/podman.sock');
    mkdirSync(dirname(other), { recursive: true });
    writeFileSync(other, '');
    expect(await chosen()).toBe(join(root, 'var/run/docker.sock'));
    expect(await chosen({ DOCKER_HOST: '', DOCKER_CONTEXT: '', DOCKER_CONFIG: '' })).toBe(
      join(root, 'var/run/docker.sock'),
    );
    expect(await chosen({ DOCKER_HOST: 'unix:///nowhere.sock' })).toBe('/nowhere.sock');
    await expect(chosen({ DOCKER_CONTEXT: 'typo' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
  it('is refused when it can be nowhere', () => {
    expect(() => dockerAt('nonsense')).toThrow(/DOCKER_HOST=nonsense/);
    expect(() => dockerAt('ftp://x')).toThrow(/must be unix/);
    expect(() => dockerAt('ssh://root@host')).toThrow(/DOCKER_HOST=ssh:.* must be unix/);
    expect(() => dockerAt('tcp://host:2375/v1.40')).toThrow(/without a path/);
  });
  it('case E13: is spoken to with TLS as the environment says, or refused by the name of the file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-certs-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const env = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder };
    expect(() => dockerAt('tcp://host:2376', env)).toThrow(/ca\.pem, which cannot be read; set DOCKER_CERT_PATH/);
    expect(() => dockerAt('tcp://host:2376', { DOCKER_TLS_VERIFY: '1', HOME: folder })).toThrow(/\.docker\/ca\.pem/);
    for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), `of ${name}`);
    const modemOf = async (host: string, more: Record<string, string>) =>
      (await connectDocker({ DOCKER_HOST: host, ...more })).modem as unknown as Record<string, unknown>;
    const secure = await modemOf('tcp://host', env);
    expect(secure).toMatchObject({ protocol: 'https', host: 'host', port: 2376, ca: Buffer.from('of ca') });
    expect(await modemOf('tcp://host', {})).toMatchObject({ protocol: 'http', port: 2375 });
    expect(await modemOf('tcp://host', { DOCKER_CERT_PATH: folder })).toMatchObject({ protocol: 'http' });
    expect(await modemOf('unix:///x.sock', env)).toMatchObject({ protocol: 'http', socketPath: '/x.sock' });
  });
});

describe('keys that a container was given at its start', () => {
  const access = {
    kind: 's3',
    endpoint: 'store:9000',
    useSsl: false,
    accessKey: 'a',
    secretKey: 's',
    buckets: { state: 'state', logs: 'logs' },
  } as const;
  /** Milliseconds since the beginning of a test. */
  let passed = 0;
  /** An engine that counts the uploads into its containers. */
  const counting = () => {
    passed = 0;
    const delivered = createDeliveredAccess(() => passed);
    const uploads: string[] = [];
    const docker = {
      getContainer: (id: string) => ({
        putArchive: () => {
          uploads.push(id);
          return Promise.resolve();
        },
      }),
    } as unknown as Docker;
    const tools = createTools({
      docker,
      install: 'i',
      role: 'bot',
      network: 'n',
      access: { kind: 's3', accessFor: () => Promise.resolve({ ...access, expiresAt: 9_000 }) },
      image: 'bot',
      env: {},
      ensureNetwork: () => Promise.resolve(),
      mayAct: () => undefined,
      delivered,
      lane: createLane({ name: 'tool', width: 1, deadlineMs: 60_000 }),
    });
    return { delivered, uploads, renew: (id: string) => tools.renewAccess({ node: 'here', id }, 'bot') };
  };

  it('are not uploaded again when they are asked about for the first time', async () => {
    const { delivered, uploads, renew } = counting();
    delivered.add('c1', { ...access, expiresAt: 5_000 });
    expect(await renew('c1')).toBe(5_000);
    expect(uploads).toEqual([]);
    expect(await renew('c1')).toBe(9_000);
    expect(uploads).toEqual(['c1']);
  });

  it('are renewed when that was a while ago: a look may come late, and they live on from their start', async () => {
    const { delivered, uploads, renew } = counting();
    delivered.add('c1', { ...access, expiresAt: 5_000 });
    passed = 61_000;
    expect(await renew('c1')).toBe(9_000);
    expect(uploads).toEqual(['c1']);
  });

  it('are delivered to a container that started without any, or under another controller', async () => {
    const { delivered, uploads, renew } = counting();
    delivered.add('c1', { ...access, expiresAt: 5_000 });
    delivered.add('c1', undefined);
    expect(await renew('c1')).toBe(9_000);
    expect(uploads).toEqual(['c1']);
  });
});

describe('a container’s options', () => {
  const plan = {
    spec: aSpec({ config: { key: 'canary-3' } }),
    specHash: 'h',
    incarnation: 2,
    generation: 3,
    attempt: 4,
  };
  const settings = { install: 'i1', network: 'n', hostGateway: false, configInEnv: false };
  const facts = { codeDigest: 'd'.repeat(64), embedded: true };
  it('hold no configuration unless that is asked for', () => {
    expect(JSON.stringify(createOptions(plan, settings, facts))).not.toContain('canary-3');
    const open = createOptions(plan, { ...settings, configInEnv: true, hostGateway: true }, facts);
    expect(open.Env).toContain('BOT_CONFIG={"key":"canary-3"}');
    expect(open.HostConfig?.ExtraHosts).toEqual(['host.docker.internal:host-gateway']);
  });
  it('name the volumes after the incarnation', () => {
    const sources = (embedded: boolean) =>
      createOptions(plan, settings, { ...facts, embedded })
        .HostConfig?.Mounts?.map(({ Source }) => Source)
        .filter((source) => source !== '');
    const own = ['drover-i1-vol-alpha-2-state', 'drover-i1-vol-alpha-2-the0'];
    expect(sources(false)).toEqual([...own, 'drover-i1-code']);
    expect(sources(true)).toEqual([...own, 'drover-i1-vol-alpha-2-archive', 'drover-i1-code']);
  });
  it('case D11: code and `/tmp` are on the disk, in volumes that go with their container, and not in its memory', () => {
    const { HostConfig } = createOptions(plan, settings, facts);
    expect(HostConfig?.Mounts?.filter(({ Source }) => Source === '').map(({ Target }) => Target)).toEqual([
      '/bot',
      '/tmp',
    ]);
    expect(Object.keys((HostConfig?.Tmpfs ?? {}) as object)).toEqual(['/query']);
  });
  it('a word of a newer engine is never taken for gone', () => {
    expect(toStatus('hibernating')).toBe('running');
    expect(toStatus('exited')).toBe('exited');
  });
});
