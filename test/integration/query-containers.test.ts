/** Ephemeral query containers on a real engine: what they read, what they never touch, and that none of them stays. */
import { buffer, text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dockerAt } from '../../scripts/docker-at.ts';
import { removeInstall } from '../../scripts/remove-install.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { volumeName } from '../../src/domain/naming.ts';
import type { ContainerReply, QueryCall, QueryContainer, QueryPlan } from '../../src/ports/query-containers.ts';
import { commandsIn } from '../support/container-commands.ts';
import { eventually } from '../support/eventually.ts';
import { cases } from '../support/full.ts';
import { codeOf, planFor, queryEngine, type Code } from '../support/query-engine.ts';
import { openSocketProxy, type SocketProxy } from '../support/socket-proxy.ts';
import { docker, HOST, IMAGE } from '../support/spine.ts';
import { newInstall } from '../support/test-run.ts';

const MIB = 1024 * 1024;
const QUERY = `
const fs = require('node:fs');
const { QUERY_PATH, QUERY_PARAMS } = process.env;
const tell = (data, code = 0) => { fs.writeFileSync('/query/result.json', JSON.stringify({ status: 'ok', data })); process.exit(code); };
const attempt = (act) => { try { return act(); } catch (error) { return error.code; } };
const paths = {
  '/env': () => tell(process.env),
  '/read': () => tell(attempt(() => fs.readFileSync('/state/mine', 'utf8'))),
  '/write': () => tell(attempt(() => fs.writeFileSync('/state/other', 'x'))),
  '/exit': () => { console.error('oh dear'); process.exit(7); },
  '/large': () => tell('x'.repeat(JSON.parse(QUERY_PARAMS).bytes)),
  '/slow': () => { process.title = 'is slow'; setTimeout(() => tell('late'), 3_600_000); },
  '/memory': () => { const all = []; for (;;) all.push(Buffer.alloc(8 * 1024 * 1024, 1)); },
};
paths[QUERY_PATH]();
`;

const install = newInstall();
let code: Code;
const opened: QueryContainer[] = [];
const engine = (change: Parameters<typeof queryEngine>[1] = {}) =>
  queryEngine(install, { archives: code.archives, ...change });
const soon = (ms = 240_000): AbortSignal => AbortSignal.timeout(ms);
const call = (path: string, params: QueryCall['params'] = {}, timeoutMs = 240_000): QueryCall => ({
  path,
  params,
  timeoutMs,
});

const open = async (plan: QueryPlan, containers = engine(), signal = soon()): Promise<QueryContainer> => {
  const container = await containers.open(plan, signal);
  opened.push(container);
  return container;
};
const dataOf = async ({ body }: ContainerReply): Promise<unknown> =>
  (JSON.parse(await text(body)) as { data: unknown }).data;
const ask = async (container: QueryContainer, path: string): Promise<unknown> =>
  dataOf(await container.ask(call(path), soon()));
const isThere = (id: string): Promise<boolean> =>
  docker
    .getContainer(id)
    .inspect()
    .then(
      () => true,
      () => false,
    );
/** Its program has begun with the query. */
const isSlow = ({ id }: QueryContainer): Promise<void> => expect.poll(() => commandsIn(id)).toContain('is slow');
const ours = (role = 'query') =>
  docker.listContainers({ all: true, filters: { label: [`drover.install=${install}`, `drover.role=${role}`] } });
const volumes = async (): Promise<string[]> => {
  const { Volumes } = await docker.listVolumes({ filters: { label: [`drover.install=${install}`] } });
  return Volumes.map(({ Name }) => Name).filter((name) => name !== `drover-${install}-code`);
};
/** The state's volume of a bot with one file on it. */
const stateOf = async (id: string): Promise<string> => {
  const Name = volumeName({ install, id, incarnation: 1, role: 'state', of: 'bot' });
  await docker.createVolume({ Name, Driver: 'local', Labels: { 'drover.install': install, 'drover.role': 'volume' } });
  const keeper = await docker.createContainer({
    Image: IMAGE,
    Entrypoint: ['sh', '-c', 'echo -n kept > /state/mine'],
    Labels: { 'drover.install': install },
    HostConfig: { Binds: [`${Name}:/state`] },
  });
  await keeper.start();
  await keeper.wait();
  await keeper.remove();
  return Name;
};

beforeAll(async () => {
  code = await codeOf({ 'main.js': '', 'query.js': QUERY });
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((container) => container.remove()));
  expect(await ours()).toEqual([]);
});
afterAll(async () => {
  await removeInstall(docker, install);
});

describe('an ephemeral query container', () => {
  it('answers for a bot that has no volume, and makes none', async () => {
    const container = await open(
      planFor('unknown', code, { spec: { ...planFor('unknown', code).spec, config: { key: 'secret' } } }),
    );
    const info = await docker.getContainer(container.id).inspect();
    expect(JSON.stringify(info)).not.toContain('secret');
    expect(info.Name).toMatch(new RegExp(`^/drover-${install}-query-unknown-[0-9a-f]{12}$`));
    const reply = await container.ask(call('/env'), soon());
    expect(reply).toMatchObject({ exitCode: 0, state: 'none' });
    expect(await dataOf(reply)).toMatchObject({
      BOT_ID: 'unknown',
      BOT_TYPE: 'scheduled',
      BOT_CONFIG: '{"key":"secret"}',
    });
    const throwAway = (await volumes()).length;
    expect(throwAway).toBeGreaterThan(0);
    await container.remove();
    expect(await volumes()).toEqual([]);
  });
  it('sees the bot’s volume, cannot write to it, and leaves it as it is', async () => {
    const volume = await stateOf('kept');
    const container = await open(planFor('kept', code));
    const reply = await container.ask(call('/read'), soon());
    expect(reply.state).toBe('volume');
    expect(await dataOf(reply)).toBe('kept');
    expect(await ask(container, '/write')).toBe('EROFS');
    await container.remove();
    expect(await volumes()).toEqual([volume]);
    const instead = await open(planFor('kept', code, { avoidVolume: true }));
    expect(await ask(instead, '/read')).toBe('ENOENT');
    await instead.remove();
    expect(await volumes()).toEqual([volume]);
  });
  it('never brings back a volume that vanished between look and mount', async () => {
    const gone = volumeName({ install, id: 'late', incarnation: 1, role: 'state', of: 'bot' });
    const late = dockerAt(HOST);
    let looks = 0;
    // The first look still sees it.
    late.getVolume = (name) => {
      const volume = docker.getVolume(name);
      if (name === gone && (looks += 1) === 1) volume.inspect = () => Promise.resolve({ Labels: {} } as never);
      return volume;
    };
    const container = await open(planFor('late', code), engine({ docker: late }));
    const reply = await container.ask(call('/read'), soon());
    expect([reply.state, await dataOf(reply)]).toEqual(['none', 'ENOENT']);
    expect(looks).toBeGreaterThan(2);
    expect(await volumes()).not.toContain(gone);
  });
  it('answers one query after the other, and says why there is no result', async () => {
    const container = await open(planFor('warm', code));
    expect(await ask(container, '/write')).toBe('EACCES');
    await expect(ask(container, '/exit')).rejects.toMatchObject({
      code: 'QUERY_NO_RESULT',
      message: expect.stringMatching(/exit code 7.*oh dear/s) as string,
    });
    expect(await ask(container, '/read')).toBe('ENOENT');
    expect(container.ended.aborted).toBe(false);
  });
  it('that ran out of memory says so', async () => {
    const container = await open(planFor('hungry', code));
    await expect(ask(container, '/memory')).rejects.toMatchObject({
      message: expect.stringContaining('out of memory') as string,
    });
  });
  it('cannot be prepared: why is told by the first query', async () => {
    const plan = planFor('lost', code, {
      asOf: { kind: 'snapshot', snapshot: { attempt: 3, sequence: 7 } } as QueryPlan['asOf'] & object,
    });
    const container = await open(plan);
    await expect(ask(container, '/read')).rejects.toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
    expect(container.ended.aborted).toBe(true);
  });
  it('hands over what is large as it is read, and refuses what is larger', async () => {
    const roomy = { ...planFor('large', code).spec, limits: { memoryMb: 768, cpuShares: 512, pids: 128 } };
    const container = await open(planFor('large', code, { spec: roomy, maxReplyBytes: 32 * MIB }));
    const { body, bytes } = await container.ask(call('/large', { bytes: 24 * MIB }), soon());
    expect(bytes).toBeGreaterThan(24 * MIB);
    // Nobody reads it, and nothing more comes.
    let before = 0;
    await eventually(() => {
      const now = body.readableLength;
      const isStill = now > 0 && now === before;
      before = now;
      expect(isStill).toBe(true);
    });
    expect(body.readableLength).toBeLessThan(9 * MIB);
    expect((await buffer(body)).length).toBe(bytes);
    await expect(container.ask(call('/large', { bytes: 33 * MIB }), soon())).rejects.toBeInstanceOf(DroverError);
    const small = await open(planFor('large', code, { maxReplyBytes: 1_000 }));
    const refused = small.ask(call('/large', { bytes: 2_000 }), soon());
    await expect(refused).rejects.toMatchObject({ code: 'QUERY_REPLY_TOO_LARGE' });
  });
});

describe('nothing of it stays', () => {
  /** Removing gives up after seconds: what is gone then went in time. */
  const isRemoved = async (container: QueryContainer): Promise<void> => {
    await container.remove();
    expect(await isThere(container.id)).toBe(false);
    await container.remove();
  };
  it('after a timeout', async () => {
    const container = await open(planFor('slow', code));
    const reason = new DroverError('QUERY_TIMEOUT', 'late');
    const abort = new AbortController();
    const answer = container.ask(call('/slow'), abort.signal).catch((thrown: unknown) => thrown);
    await isSlow(container);
    abort.abort(reason);
    expect(await answer).toBe(reason);
    expect(container.ended.aborted).toBe(false);
    await isRemoved(container);
  });
  it('after its program was killed for its time', async () => {
    const container = await open(planFor('slow', code));
    const answer = container.ask(call('/slow', {}, 500), soon());
    await expect(answer).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' });
    await isRemoved(container);
  });
  it('after it was killed midway', async () => {
    const container = await open(planFor('killed', code));
    const answer = container.ask(call('/slow'), soon()).catch((thrown: unknown) => thrown);
    await isSlow(container);
    await docker.getContainer(container.id).kill();
    expect(await answer).toMatchObject({ code: 'QUERY_REPLY_INVALID' });
    expect(container.ended.aborted).toBe(true);
    await isRemoved(container);
  });
  it('when the caller gave up while it was made', async () => {
    const reason = new DroverError('QUERY_TIMEOUT', 'late');
    for (const ms of [0, 30, 200, 100, 300].slice(0, cases(3, 5))) {
      const abort = new AbortController();
      const opening = engine().open(planFor('early', code), abort.signal);
      setTimeout(() => {
        abort.abort(reason);
      }, ms);
      // On a fast machine the later ones come too late: then it is there, and whoever asked for it removes it.
      const made = await opening.catch((thrown: unknown) => thrown);
      if (made instanceof Error) expect(made).toBe(reason);
      else await (made as QueryContainer).remove();
      if (ms <= 30) expect(made).toBe(reason);
    }
    await expect.poll(ours).toEqual([]);
    await expect.poll(() => ours('query-tool')).toEqual([]);
  });
});

describe('with an engine that is far away', () => {
  let proxy: SocketProxy;
  beforeAll(async () => {
    proxy = await openSocketProxy();
  });
  afterAll(async () => {
    await proxy.close();
  });
  it('one whose making was not answered is removed by its name', async () => {
    const containers = engine({ host: proxy.host });
    await (await open(planFor('lost', code), containers)).remove();
    proxy.loseReply = /^POST .*\/containers\/create/;
    await expect(containers.open(planFor('lost', code), soon())).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    await expect.poll(ours).toEqual([]);
    proxy.loseReply = /^POST .*\/start/;
    await expect(containers.open(planFor('lost', code), soon())).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    await expect.poll(ours).toEqual([]);
  });
  it('those of a process that died end by themselves, and another one’s sweep takes them away', async () => {
    const dying = engine({ host: proxy.host });
    const living = engine();
    const [left, used] = await Promise.all([
      dying.open(planFor('left', code), soon()),
      open(planFor('used', code), living),
    ]);
    await left.ask(call('/read'), soon()).then(({ body }) => text(body));
    await engine().sweep();
    expect([await isThere(left.id), await isThere(used.id)]).toEqual([true, true]);
    proxy.cut();
    const state = async (): Promise<string> => (await docker.getContainer(left.id).inspect()).State.Status;
    await expect.poll(state).toBe('exited');
    expect(left.ended.aborted).toBe(true);
    await living.sweep();
    expect([await isThere(left.id), await isThere(used.id)]).toEqual([false, true]);
    expect(await ask(used, '/read')).toBe('ENOENT');
    proxy.restore();
  });
});

describe('code', () => {
  it('that two processes fetch at once reaches both', async () => {
    const other = await codeOf({ 'main.js': '// other', 'query.js': QUERY });
    const processes = Array.from({ length: 2 }, () => engine({ archives: other.archives }));
    const all = await Promise.all(processes.map((containers) => open(planFor('b', other), containers)));
    expect(await Promise.all(all.map((container) => ask(container, '/read')))).toEqual(['ENOENT', 'ENOENT']);
    expect(await ours('query-tool')).toEqual([]);
  });
  it('that is not there is said', async () => {
    const nothing = { ...code, digest: 'f'.repeat(64) };
    const containers = engine({ archives: { ...code.archives, openCode: () => Promise.resolve(undefined) } });
    await expect(containers.open(planFor('b', nothing), soon())).rejects.toMatchObject({ code: 'ARCHIVE_MISSING' });
  });
});
