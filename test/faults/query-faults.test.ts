/** Faults of queries on the real engine, where bots are reached at their own address and at ports on loopback alike. */
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../scripts/until.ts';
import { startQuerySpine, type Asked, type QuerySpine } from '../support/query-spine.ts';
import { COUNTING, SDK_LIKE, WRONG_SERVER } from '../support/query-bots.ts';
import { commandsIn } from '../support/container-commands.ts';
import { cases } from '../support/full.ts';
import { pause } from '../support/pause.ts';
import { createSmallNetwork } from '../support/small-network.ts';
import { docker } from '../support/spine.ts';

/** Also outside a test: set-up waits too. */
const answersSo = async (ask: () => Promise<Asked>, isRight: (asked: Asked) => boolean): Promise<void> => {
  let last: Asked | undefined;
  await until(
    async () => {
      last = await ask();
      return isRight(last);
    },
    { otherwise: () => `the answer does not come; the last was ${String(last?.status)} ${String(last?.text)}` },
  );
};
/** A query without an answer has come to the bot: its program says so. */
const isAsked = async (spine: QuerySpine, id: string, title: 'hangs' | 'mutes'): Promise<void> => {
  const { containerId } = await spine.reaches(id, 'running');
  await expect.poll(() => commandsIn(containerId ?? '')).toContain(title);
};
const ASKED = { custom: { entrypoints: { bot: 'main.js', query: 'query.js' } } };

describe.each(['address', 'published'] as const)('queries to running bots by their %s', (reach) => {
  let spine: QuerySpine;
  const answers = (id: string, path = '/echo') =>
    answersSo(
      () => spine.ask(id, path),
      ({ status }) => status === 200,
    );
  beforeAll(async () => {
    spine = await startQuerySpine({ reach, query: { settleMs: 1_500, maxReplyBytes: 16 * 1024 * 1024 } });
    await spine.deployAsked('bot', { 'main.js': COUNTING, 'query.js': SDK_LIKE });
    await spine.deployAsked('wrong', { 'main.js': COUNTING, 'query.js': WRONG_SERVER });
    await spine.deployAsked('deaf', { 'main.js': COUNTING, 'query.js': 'setInterval(() => undefined, 1000);' });
    for (const id of ['bot', 'wrong', 'deaf']) await spine.reaches(id, 'running');
    await answers('bot');
    await answers('wrong', '/');
  });
  afterAll(() => spine.end());

  it('says which way it took, and brings parameters in the URL and in the body', async () => {
    expect(await spine.ask('bot', '/echo?a=1', { b: { c: 2 } })).toMatchObject({
      status: 200,
      way: reach,
      body: { status: 'ok', data: { params: { a: '1', b: '{"c":2}' }, bot: 'bot' } },
    });
    expect((await spine.ask('bot', '/body', { b: { c: 2 } })).body['data']).toBe('{"b":{"c":2}}');
    expect(await spine.askOld({ bot_id: 'bot', query_path: 'echo', params: { x: 1 } })).toMatchObject({
      status: 200,
      body: { status: 'ok', data: { params: { x: '1' } } },
    });
    expect(await spine.ask('bot', '/nothing')).toMatchObject({ status: 404, body: { code: 'QUERY_PATH_UNKNOWN' } });
  });

  it.each([
    ['/slow?timeout_sec=0.5', 504, 'QUERY_TIMEOUT'],
    ['/garbage', 502, 'QUERY_REPLY_INVALID'],
    ['/half', 502, 'QUERY_REPLY_INVALID'],
    ['/not-json', 502, 'QUERY_REPLY_INVALID'],
    ['/error', 502, 'QUERY_FAILED'],
  ])('R38: %s is told as %i %s', async (path, status, code) => {
    expect(await spine.ask('wrong', path)).toMatchObject({ status, body: { code, botState: 'running' } });
  });

  it('R38: a reply of 100 MB is cut at the limit, and the bot goes on', async () => {
    const response = await fetch(`${spine.url}/v1/bots/wrong/query/large`);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(await spine.ask('wrong', '/')).toMatchObject({ status: 200 });
  });

  it('R38: a query server that never comes up is told as 503 at first, then as 502; the bot is not restarted', async () => {
    // A relay takes connections where nobody listens: one that closes late is not told from a server that gave no reply.
    const code = reach === 'address' ? /^QUERY_UNREACHABLE$/ : /^QUERY_(UNREACHABLE|REPLY_INVALID)$/;
    const said: unknown[] = [];
    const look = async (): Promise<Asked> => {
      const asked = await spine.ask('deaf', '/x');
      said.push({ status: asked.status, code: asked.body['code'] });
      return asked;
    };
    await expect.poll(look).toMatchObject({
      status: 502,
      body: { code: expect.stringMatching(code) as string, retryable: true },
    });
    // How often, if at all, is a matter of how fast the machine is.
    for (const early of said.slice(0, -1)) expect(early).toEqual({ status: 503, code: 'BOT_NOT_READY' });
    expect(spine.bot('deaf')).toMatchObject({ state: 'running', restarts: 0 });
  });

  it('R38: a query server that dies is started again, and answers', async () => {
    const { containerId } = await spine.reaches('wrong', 'running');
    await spine.ask('wrong', '/die');
    await answers('wrong', '/');
    expect(spine.bot('wrong')).toMatchObject({ state: 'running', containerId });
  });

  it('R39: a paused bot is told as 409, and answers again afterwards', async () => {
    const { containerId } = await spine.reaches('bot', 'running');
    await pause(containerId ?? '');
    // One that comes before the engine has told of the pause has its time.
    const asked = () => spine.ask('bot', '/echo?timeout_sec=1');
    await expect.poll(asked).toMatchObject({ status: 409, body: { code: 'BOT_PAUSED' } });
    await docker.getContainer(containerId ?? '').unpause();
    await answers('bot');
  });

  it('R39: a query under way does not hold up a stop, and the stopped bot is asked in a container of its own', async () => {
    const hanging = spine.ask('bot', '/hang');
    await isAsked(spine, 'bot', 'hangs');
    await spine.put('bot', spine.document('bot', { ...ASKED, config: { enabled: false } }));
    await spine.reaches('bot', 'stopped');
    // Not 504: the stop did not wait until its time was over.
    expect((await hanging).status).toBe(502);
    const cold = await spine.ask('bot', '/count');
    expect(cold).toMatchObject({ status: 200, way: 'cold', body: { data: { count: 1 } } });
    await spine.put('bot', spine.document('bot', ASKED));
    await spine.reaches('bot', 'running');
    await answers('bot');
  });
});

describe.each([
  ['/proc', true],
  ['the engine', false],
])('queries and networks, as %s tells', (_how, procfs) => {
  const name = `drover-test-${randomBytes(4).toString('hex')}`;
  let spine: QuerySpine;
  const inspect = async (id: string) =>
    docker.getContainer((await spine.reaches(id, 'running')).containerId ?? '').inspect();
  const addressOf = async (id: string) => (await inspect(id)).NetworkSettings.Networks[name]?.IPAddress;
  const dataOf = ({ body }: Asked) => body['data'] as { bot?: string } | undefined;
  const answers = (id: string) =>
    answersSo(
      () => spine.ask(id, '/echo'),
      (asked) => dataOf(asked)?.bot === id,
    );

  beforeAll(async () => {
    await createSmallNetwork(name);
    spine = await startQuerySpine({
      query: { settleMs: 0 },
      network: name,
      procfs,
      policy: { backoffFirstMs: 100, backoffMaxMs: 500 },
    });
    for (const id of ['a', 'b']) {
      await spine.deployAsked(id, { 'main.js': COUNTING, 'query.js': SDK_LIKE });
      await spine.reaches(id, 'running');
      await answers(id);
    }
  });
  afterAll(async () => {
    await spine.end();
    await docker.getNetwork(name).remove();
  });

  it('R40: bots that swap addresses never answer for one another', async () => {
    const before = { a: await addressOf('a'), b: await addressOf('b') };
    let over = false;
    let right = 0;
    const wrong: unknown[] = [];
    const storm = async (id: string): Promise<void> => {
      while (!over) {
        const data = dataOf(await spine.ask(id, '/echo'));
        if (data?.bot === id) right += 1;
        else if (data?.bot !== undefined) wrong.push({ asked: id, data });
        // A pause, no wait: the bots need the processor too.
        await sleep(5);
      }
    };
    const storms = ['a', 'b', 'a', 'b'].map(storm);
    for (let round = 0; round < cases(1, 3); round += 1) {
      await Promise.all([(await inspect('a')).Id, (await inspect('b')).Id].map((id) => docker.getContainer(id).kill()));
      for (const id of ['b', 'a']) {
        await spine.reaches(id, 'running');
        await answers(id);
      }
    }
    await expect.poll(() => right).toBeGreaterThan(20);
    over = true;
    await Promise.all(storms);
    expect(wrong).toEqual([]);
    const after = { a: await addressOf('a'), b: await addressOf('b') };
    // The subnet is small: some address of one was the other's at some time, or they stayed; both are in the pool of five.
    expect([before, after].every(({ a, b }) => a !== undefined && b !== undefined && a !== b)).toBe(true);
  });

  it('R40: an address that went to another bot by hand never answers for the first', async () => {
    const [a, b] = [await inspect('a'), await inspect('b')];
    const address = a.NetworkSettings.Networks[name]?.IPAddress ?? '';
    const network = docker.getNetwork(name);
    await network.disconnect({ Container: a.Id });
    await network.disconnect({ Container: b.Id });
    await network.connect({ Container: b.Id, EndpointConfig: { IPAMConfig: { IPv4Address: address } } });
    expect(await addressOf('b')).toBe(address);
    for (let round = 0; round < 5; round += 1) {
      const { status, body } = await spine.ask('a', '/echo');
      // A kept connection breaks off; a new one is never made.
      expect({ status, code: body['code'] }).toEqual({
        status: 502,
        code: expect.stringMatching(/^QUERY_(UNREACHABLE|REPLY_INVALID)$/) as string,
      });
    }
    await answers('b');
    await network.connect({ Container: a.Id });
    await answers('a');
  });

  it('R26: a bot whose network is taken away is told as unreachable, and answers once it is back', async () => {
    const { Id } = await inspect('a');
    await docker.getNetwork(name).disconnect({ Container: Id });
    // What is kept alive is let go after three seconds; then nothing leads there any more.
    await expect
      .poll(async () => (await spine.ask('a', '/echo?timeout_sec=1')).body)
      .toMatchObject({ code: 'QUERY_UNREACHABLE', retryable: true, botState: 'running' });
    await docker.getNetwork(name).connect({ Container: Id });
    await answers('a');
  });

  it('R26: a query under way when its bot loses its network ends in seconds, and not with its time', async () => {
    const { Id } = await inspect('a');
    const hanging = spine.ask('a', '/mute');
    await isAsked(spine, 'a', 'mutes');
    await docker.getNetwork(name).disconnect({ Container: Id });
    // With its time it would end as 504.
    expect(await hanging).toMatchObject({ status: 502, body: { code: 'QUERY_REPLY_INVALID', retryable: true } });
    expect((await spine.ask('a', '/echo')).body).toMatchObject({ code: 'QUERY_UNREACHABLE' });
    await docker.getNetwork(name).connect({ Container: Id });
    await answers('a');
  });

  it('R26: a long query at a bot that keeps its network has its time', async () => {
    expect(await spine.ask('a', '/mute?timeout_sec=4')).toMatchObject({ status: 504, body: { code: 'QUERY_TIMEOUT' } });
    await answers('a');
  });
});
