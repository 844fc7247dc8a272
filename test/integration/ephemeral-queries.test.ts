/** Queries to bots that do not run, and to the past, in containers of their own on the real engine (features F2, F3, F7, F9). */
import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dockerAt } from '../../scripts/docker-at.ts';
import { OWN_NETWORK } from '../../src/adapters/docker/network.ts';
import { commandsIn } from '../support/container-commands.ts';
import { countContainers } from '../support/container-count.ts';
import { cases } from '../support/full.ts';
import { COUNTING, SDK_LIKE } from '../support/query-bots.ts';
import { startQuerySpine, toAsked, type QuerySpine } from '../support/query-spine.ts';
import { referenceSdk } from '../support/reference-sdk.ts';
import { docker, HOST, IMAGE, zipOf } from '../support/spine.ts';

const ENTRYPOINTS = { entrypoints: { bot: 'main.js', query: 'query.js' } };
const OFF = { config: { enabled: false }, custom: ENTRYPOINTS };
/** How often the bot has counted in the end. */
const STARTS = cases(2, 3);
const FILES = { 'main.js': COUNTING, 'query.js': SDK_LIKE };

const sdk = await referenceSdk();
/** With the reference's own SDK. */
const SDK_QUERY = `from the0 import query, state
@query.handler("/count")
def count(req):
    return {"count": state.get("count", 0), "n": req.get("n"), "kind": type(req.get("n")).__name__}
@query.handler("/write")
def write(req):
    state.set("count", 5)
query.run()
`;

describe('ephemeral queries', () => {
  let spine: QuerySpine;
  const gone = () => expect.poll(() => spine.queryContainers()).toEqual([]);
  const restState = async (id: string): Promise<string> => {
    const Binds = [`drover-${spine.install}-vol-${id}-1-state:/s:ro`];
    const container = await docker.createContainer({
      Image: IMAGE,
      Entrypoint: ['sh', '-c', 'cd /s && find . -type f -printf "%p %T@ " -exec sha256sum {} \\;'],
      Cmd: [],
      HostConfig: { Binds },
    });
    await container.start();
    await container.wait();
    const text = (await container.logs({ stdout: true })).toString();
    await container.remove();
    return text;
  };
  beforeAll(async () => {
    spine = await startQuerySpine({ query: { containers: 3, queue: 5 } });
    await spine.deployAsked('bot', FILES);
    await spine.counted('bot');
    await spine.put('bot', spine.document('bot', OFF));
    await spine.reaches('bot', 'stopped');
  });
  afterAll(() => spine.end());

  it('F2: a disabled bot answers from its state, which stays as it is to the last byte', async () => {
    const before = await restState('bot');
    expect(before).toContain('count.json');
    expect(await spine.ask('bot', '/count')).toMatchObject({ status: 200, way: 'cold', body: { data: { count: 1 } } });
    expect(await spine.ask('bot', '/guard')).toMatchObject({
      status: 502,
      body: { code: 'QUERY_FAILED', error: 'state is read-only during queries', botState: 'stopped' },
    });
    expect((await spine.ask('bot', '/force')).body).toMatchObject({
      code: 'QUERY_FAILED',
      error: expect.stringMatching(/EROFS|EACCES/) as string,
    });
    expect(await restState('bot')).toBe(before);
  });

  it('F7: a warm answer is a cold one, byte for byte: types, errors, what there is, and the guard', async () => {
    const kept = ['/count', '/guard', '/force', '/fail', '/nothing', '/types', '/echo'];
    const params = { text: 'ä"\n', number: 1.5, big: 12_345_678_901, list: [1, { a: null }], flag: false, nil: null };
    const answer = async (path: string) => {
      const { status, text, way } = await spine.ask('bot', path, params);
      return { path, status, text, way };
    };
    const cold: Awaited<ReturnType<typeof answer>>[] = [];
    // What exits without a result is not kept.
    for (const path of ['/exit', ...kept]) {
      await spine.drop('bot');
      await gone();
      cold.push(await answer(path));
    }
    expect(cold.every(({ way }) => way === null || way === 'cold')).toBe(true);
    const warm: typeof cold = [];
    for (const path of [...kept, '/exit']) warm.push(await answer(path));
    expect(warm.every(({ way }) => way === null || way === 'warm')).toBe(true);
    expect(warm.some(({ way }) => way === 'warm')).toBe(true);
    const plain = (answers: typeof cold) =>
      answers.map(({ path, status, text }) => ({ path, status, text })).sort((a, b) => a.path.localeCompare(b.path));
    expect(plain(warm)).toEqual(plain(cold));
    expect(cold.find(({ path }) => path === '/types')?.text).toBe(
      '{"status":"ok","data":{"text":"string","number":"number","big":"number","list":"object","flag":"boolean","nil":"object"}}',
    );
  });

  it('F3: after a timeout its container is gone within 5 s', async () => {
    expect(await spine.ask('bot', '/hang?timeout_sec=1.5')).toMatchObject({
      status: 504,
      body: { code: 'QUERY_TIMEOUT' },
    });
    await gone();
    expect(await spine.ask('bot', '/exit')).toMatchObject({ status: 502, body: { code: 'QUERY_NO_RESULT' } });
    await gone();
  });

  it('a caller that goes away takes the container with it', async () => {
    const caller = new AbortController();
    const asked = fetch(`${spine.url}/v1/bots/bot/query/hang`, { signal: caller.signal }).catch(() => undefined);
    const commands = async () => Promise.all((await spine.queryContainers()).map(commandsIn));
    await expect.poll(commands).toEqual([expect.arrayContaining(['hangs'])]);
    caller.abort();
    await asked;
    await gone();
  });

  it('a large result comes whole', async () => {
    const { status, text } = await spine.ask('bot', '/big', { mb: 20 });
    expect({ status, length: text.length }).toEqual({
      status: 200,
      length: 20 * 1024 * 1024 + '{"status":"ok","data":""}'.length,
    });
  });

  it('F4: a storm makes no more containers than the cap, and tells the rest 429', async () => {
    await spine.drop('bot');
    await gone();
    const count = await countContainers(spine.install, 'query');
    const all = await Promise.all(Array.from({ length: 60 }, () => spine.ask('bot', '/count')));
    const answered = all.filter(({ status }) => status === 200).length;
    const refused = all.filter(({ status, headers }) => status === 429 && headers.has('retry-after')).length;
    // One bot has all turns but one, and half of the queue: two and three; more where the first were done before the last had come.
    expect(answered).toBeGreaterThanOrEqual(5);
    expect(refused).toBeGreaterThan(0);
    expect(answered + refused).toBe(60);
    await spine.drop('bot');
    await gone();
    // All that was made was told, and what became of it.
    await expect.poll(() => [count.made() > 0, count.there()]).toEqual([true, 0]);
    expect(count.most()).toBeLessThanOrEqual(3);
    count.close();
  });

  it('changed code and a changed configuration answer at once; what was kept does not', async () => {
    expect((await spine.ask('bot', '/echo')).body).toMatchObject({ data: { config: '1.0.0' } });
    await spine.put('bot', spine.document('bot', { ...OFF, config: { ...OFF.config, version: '2.0.0' } }));
    expect(await spine.ask('bot', '/echo')).toMatchObject({ way: 'cold', body: { data: { config: '2.0.0' } } });
    await spine.archives.putCode(
      'test/bot/1.0.0',
      zipOf({ ...FILES, 'query.js': SDK_LIKE.replace('count: state', 'newer: state') }),
    );
    expect(await spine.ask('bot', '/count')).toMatchObject({ way: 'cold', body: { data: { newer: 1 } } });
  });

  it('F9: answers from the state as it was', async () => {
    for (let start = 2; start <= STARTS; start += 1) {
      await spine.put('bot', spine.document('bot', { custom: ENTRYPOINTS, config: { round: start } }));
      await spine.counted('bot');
      await spine.put('bot', spine.document('bot', { ...OFF, config: { ...OFF.config, round: start } }));
      await spine.reaches('bot', 'stopped');
    }
    const { snapshots } = (await spine.drover.stateSnapshots.list('bot')) as {
      snapshots: { attempt: number; sequence: number; createdAt: string }[];
    };
    const [first] = snapshots;
    const last = snapshots.at(-1);
    if (first === undefined || last === undefined) throw new Error('there are no snapshots');
    const name = `a${String(first.attempt)}/s${String(first.sequence)}`;
    const ask = (asOf: string) => spine.ask('bot', `/count?asOf=${encodeURIComponent(asOf)}`);
    const count = async (asOf: string) => (await ask(asOf)).body;
    const { body, headers } = await ask(name);
    expect(body).toMatchObject({ data: { newer: 1 } });
    expect(headers.get('x-drover-query-state')).toBe(name);
    expect(await count(first.createdAt)).toMatchObject({ data: { newer: 1 } });
    expect(await count(last.createdAt)).toMatchObject({ data: { newer: STARTS } });
    expect(await count('2020-01-01T00:00:00Z')).toMatchObject({ code: 'SNAPSHOT_NOT_FOUND' });
    expect(await spine.ask('bot', '/count?asOf=a99/s1')).toMatchObject({ status: 404 });
    expect((await spine.ask('bot', '/force?asOf=a1/s1')).body).toMatchObject({ code: 'QUERY_FAILED' });
  });

  it('a bot whose volume is gone answers from its newest snapshot, and gets no new volume for it', async () => {
    await spine.drop('bot');
    await gone();
    const volume = docker.getVolume(`drover-${spine.install}-vol-bot-1-state`);
    await expect
      .poll(() =>
        volume.remove().then(
          () => 'gone',
          (error: unknown) => error,
        ),
      )
      .toBe('gone');
    const { body, headers } = await spine.ask('bot', '/count');
    expect(body).toMatchObject({ data: { newer: STARTS } });
    expect(headers.get('x-drover-query-state')).toMatch(/^a\d+\/s\d+$/);
    await expect(volume.inspect()).rejects.toThrow(/no such volume/i);
  });

  it('one that never ran has an empty state, and no volume is made for it', async () => {
    await spine.deployAsked('new', FILES, { config: { enabled: false } });
    const { body, headers } = await spine.ask('new', '/count');
    expect(body).toMatchObject({ data: { count: 0 } });
    expect(headers.get('x-drover-query-state')).toBe('none');
    const { Volumes } = await docker.listVolumes();
    expect(Volumes.filter(({ Name }) => Name.startsWith(`drover-${spine.install}-vol-new-`))).toEqual([]);
  });

  it('broken code is told as what it is', async () => {
    await spine.deployAsked('broken', { 'main.js': COUNTING }, { config: { enabled: false } });
    expect(await spine.ask('broken', '/x')).toMatchObject({
      status: 409,
      body: { code: 'ENTRYPOINT_MISSING', botState: 'stopped' },
    });
    await expect.poll(() => spine.queryContainers('broken')).toEqual([]);
  });

  it('a scheduled bot is asked between its runs', async () => {
    const document = spine.document('sched', {
      config: { type: 'scheduled/sched', schedule: '0 0 1 1 *' },
      custom: { ...ENTRYPOINTS, type: 'scheduled' },
    });
    await spine.archives.putCode('test/sched/1.0.0', zipOf(FILES));
    await spine.stores.schedules.put('sched', document, {
      requestId: 'r',
      actor: 'test',
      action: 'apply',
      at: Date.now(),
    });
    await expect.poll(async () => (await spine.ask('sched', '/count')).status).toBe(200);
    expect(await spine.askOld({ bot_id: 'sched', query_path: 'types', params: { n: 1 } })).toMatchObject({
      status: 200,
      body: { status: 'ok', data: { n: 'number' } },
    });
  });

  it.skipIf(sdk === undefined)(
    'with the reference’s SDK types are kept, writes are refused, and what there is is told, cold and warm',
    async () => {
      const custom = { runtime: 'python3.11', entrypoints: { bot: 'main.py', query: 'query.py' } };
      const files = { ...sdk, 'main.py': 'def main(a, b): pass', 'query.py': SDK_QUERY };
      await spine.archives.putCode('test/py/1.0.0', zipOf(files));
      await spine.put('py', spine.document('py', { custom, config: { enabled: false } }));
      const seen = [];
      for (const way of ['cold', 'warm']) {
        const answer = await spine.ask('py', '/count', { n: 7 });
        expect(answer).toMatchObject({
          status: 200,
          way,
          body: { status: 'ok', data: { count: 0, n: 7, kind: 'int' } },
        });
        const write = await spine.ask('py', '/write');
        expect(write).toMatchObject({ status: 502, body: { code: 'QUERY_FAILED' } });
        expect(String(write.body['error'])).toMatch(/read.?only/i);
        const unknown = await toAsked(await fetch(`${spine.url}/v1/bots/py/query/none`));
        expect(unknown).toMatchObject({
          status: 404,
          body: { code: 'QUERY_PATH_UNKNOWN', available: expect.arrayContaining(['/count']) as string[] },
        });
        seen.push([answer.text, write.text, unknown.text]);
      }
      expect(seen[1]).toEqual(seen[0]);
    },
  );
});

describe('the network of ephemeral queries', () => {
  const name = `drover-test-${randomBytes(4).toString('hex')}`;
  let spine: QuerySpine;
  /** A client whose `drover-bots` is a network of this test's own: other containers of this engine are on the real one. */
  const client = (): Docker =>
    Object.assign(dockerAt(HOST), {
      listNetworks: async () => {
        const found = await docker.listNetworks({ filters: { name: [name] } });
        return found.map((network) => (network.Name === name ? { ...network, Name: OWN_NETWORK } : network));
      },
      createNetwork: (options: Docker.NetworkCreateOptions) => docker.createNetwork({ ...options, Name: name }),
      createContainer: ({ HostConfig = {}, ...options }: Docker.ContainerCreateOptions) => {
        const { NetworkMode } = HostConfig;
        const host = { ...HostConfig, NetworkMode: NetworkMode === OWN_NETWORK ? name : NetworkMode };
        return docker.createContainer({ ...options, HostConfig: host });
      },
    });
  beforeAll(async () => {
    spine = await startQuerySpine({ queryDocker: client() });
    await spine.deployAsked('rests', FILES, { config: { enabled: false } });
  });
  afterAll(async () => {
    await spine.end();
    await docker.getNetwork(name).remove();
  });

  it('R26: that was removed is made again', async () => {
    expect(await spine.ask('rests', '/count')).toMatchObject({ status: 200, way: 'cold' });
    await spine.drop('rests');
    await expect.poll(() => spine.queryContainers()).toEqual([]);
    await docker.getNetwork(name).remove();
    expect(await spine.ask('rests', '/count')).toMatchObject({ status: 200, way: 'cold' });
    expect(await docker.getNetwork(name).inspect()).toMatchObject({ Name: name });
  });
});
