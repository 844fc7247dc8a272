/** What happens to a bot while a query to it waits, and what one bot may take from the others (features F4, F6, F7; fault R39). */
import { describe, expect, it } from 'vitest';
import { CallerGone, Cancellation } from '../../src/domain/cancellation.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { NotBegun } from '../../src/domain/query.ts';
import { aGate } from '../support/gate.ts';
import { openQueryWorld, type QueryWorld } from '../support/query-world.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

const ASK = '/v1/bots/b/query/x';
const OK = { exitCode: 0, body: '{"status":"ok","data":1}' };
const wayOf = async (asked: Promise<{ headers: Headers }>) => (await asked).headers.get('x-drover-query-way');
/** Who is patient has looked at the bot and found it not ready, and looks again when the clock of the test says so. */
const LOOK_AGAIN_MS = 50;
const looksAgain = async ({ clock, next, set }: VirtualClock, times = 1): Promise<void> => {
  for (let look = 1; look <= times; look += 1) {
    const due = clock.now() + LOOK_AGAIN_MS;
    await expect.poll(next).toBe(due);
    set(due);
  }
};
const waits = (world: QueryWorld, count: number) =>
  expect.poll(() => world.queries.handler.metrics().waiting).toBe(count);

describe('before the logs are read', () => {
  it('nobody is taken for one that does not run', async () => {
    const time = createVirtualClock(0);
    const world = openQueryWorld({}, {}, false, time.clock);
    world.document('b', { any: 'document' });
    expect(await world.get(ASK)).toMatchObject({ status: 503, body: { code: 'BOT_NOT_READY', retryable: true } });
    expect((await world.get(ASK)).headers.get('retry-after')).toBe('1');
    const patient = world.post('/query', { bot_id: 'b', query_path: '/x' });
    await looksAgain(time, 2);
    expect({ asked: world.asked.length, plans: world.plans.length }).toEqual({ asked: 0, plans: 0 });
    world.bot('b', 'running');
    world.queries.start();
    await looksAgain(time);
    expect(await patient).toMatchObject({ status: 200 });
    expect({ asked: world.asked.length, plans: world.plans.length }).toEqual({ asked: 1, plans: 0 });
  });
});

describe('a bot that changes', () => {
  /** `a` is being answered, `b` waits for its turn. */
  const oneInTheQueue = async () => {
    const world = openQueryWorld({ containers: 1, queue: 4 });
    world.bot('a', 'stopped');
    world.bot('b', 'stopped');
    const gate = aGate();
    world.ephemeral = () => gate.pass().then(() => OK);
    const first = world.get('/v1/bots/a/query/x');
    const second = world.get(ASK);
    await waits(world, 1);
    return { world, gate, first, second };
  };

  it('while its container is made is not answered for by that one afterwards', async () => {
    const world = openQueryWorld();
    world.bot('b', 'stopped');
    const gate = aGate();
    world.beforeOpen = () => gate.pass();
    const asked = world.get(ASK);
    await gate.reached();
    world.queries.noticed({ kind: 'bot', botId: 'b' } as never);
    gate.open();
    expect(await wayOf(asked)).toBe('cold');
    expect(world.live.size).toBe(0);
    expect(await wayOf(world.get(ASK))).toBe('cold');
  });
  it('while a query waits for its turn is asked as it is by then', async () => {
    const { world, gate, first, second } = await oneInTheQueue();
    world.digest = 'd2';
    gate.open();
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
    expect(world.plans.map(({ spec, digest }) => [spec.id, digest])).toEqual([
      ['a', expect.not.stringMatching(/^d2$/) as string],
      ['b', 'd2'],
    ]);
  });
  it('and runs by then is asked where it runs', async () => {
    const { world, gate, first, second } = await oneInTheQueue();
    world.bot('b', 'running');
    gate.open();
    await first;
    expect(await second).toMatchObject({ status: 200 });
    expect(await wayOf(second)).toBe('address');
    expect(world.plans.map(({ spec }) => spec.id)).toEqual(['a']);
  });
  it('and has just ended is looked at again for who waits', async () => {
    const time = createVirtualClock(0);
    const world = openQueryWorld({}, {}, true, time.clock);
    world.bot('b', 'running');
    world.endpoint = 'gone';
    expect(await world.get(ASK)).toMatchObject({ status: 503, body: { code: 'BOT_NOT_READY' } });
    const patient = world.post('/query', { bot_id: 'b', query_path: '/x' });
    await looksAgain(time, 2);
    world.bot('b', 'stopped');
    await looksAgain(time);
    expect(await patient).toMatchObject({ status: 200 });
  });
});

describe('one bot', () => {
  it('that hangs does not take all places nor the whole queue', async () => {
    const world = openQueryWorld({ containers: 4, queue: 16 });
    world.bot('b', 'stopped');
    world.bot('hangs', 'stopped');
    const gate = aGate();
    world.ephemeral = ({ path }) => (path === '/hang' ? gate.pass().then(() => OK) : Promise.resolve(OK));
    const storm = Array.from({ length: 30 }, () => world.get('/v1/bots/hangs/query/hang'));
    await waits(world, 8);
    for (let round = 0; round < 5; round += 1) {
      expect(await world.get(ASK)).toMatchObject({ status: 200 });
    }
    expect(world.most).toBeLessThanOrEqual(4);
    gate.open();
    const all = await Promise.all(storm);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(11);
    expect(all.filter(({ status }) => status === 429)).toHaveLength(19);
    expect(world.queries.handler.metrics()).toMatchObject({ busy: 0, waiting: 0, inFlight: 0 });
  });
  it('that starts has so many waiting for it, and no more', async () => {
    const world = openQueryWorld({ inFlightPerBot: 4 });
    world.bot('b', 'starting');
    const told: number[] = [];
    const storm = Array.from({ length: 10 }, async () => {
      told.push((await world.post('/query', { bot_id: 'b', query_path: '/x' })).status);
    });
    await expect.poll(() => told).toEqual([429, 429, 429, 429, 429, 429]);
    world.bot('b', 'running');
    await Promise.all(storm);
    expect(told.slice(6)).toEqual([200, 200, 200, 200]);
  });
});

describe('room', () => {
  it('comes to who waits from a container that is kept, while the engine is slow to remove another', async () => {
    const world = openQueryWorld({ containers: 2 });
    for (const id of ['slow', 'kept', 'b']) world.bot(id, 'stopped');
    const [removal, answer] = [aGate(), aGate()];
    world.beforeRemove = (id) => (id === 'slow' ? removal.pass() : undefined);
    world.ephemeral = ({ path }) => (path === '/wait' ? answer.pass().then(() => OK) : Promise.resolve(OK));
    await world.get('/v1/bots/slow/query/x');
    const kept = world.get('/v1/bots/kept/query/wait');
    await expect.poll(() => world.live.size).toBe(2);
    world.queries.noticed({ kind: 'bot', botId: 'slow' } as never);
    const read = aGate();
    read.open();
    world.beforeRead = () => read.pass();
    const asked = world.get(ASK);
    // It had its turn; without room nothing follows but what follows at once.
    await read.reached();
    await new Promise(setImmediate);
    expect(world.plans.map(({ spec }) => spec.id)).toEqual(['slow', 'kept']);
    answer.open();
    expect((await Promise.all([kept, asked])).map(({ status }) => status)).toEqual([200, 200]);
    removal.open();
  });
  it('of a drover that ends is cleared also of what is still being made', async () => {
    const world = openQueryWorld();
    world.bot('b', 'stopped');
    const gate = aGate();
    world.beforeOpen = () => gate.pass();
    const asked = world.get(ASK);
    await gate.reached();
    const ended = world.queries.end(50);
    expect(await asked).toMatchObject({ status: 503, body: { code: 'QUERY_ENDING' } });
    gate.open();
    await ended;
    expect({ plans: world.plans.length, live: world.live.size }).toEqual({ plans: 1, live: 0 });
  });
});

describe('how a query ends', () => {
  it('is in an error that is not asked for again, whatever is kept warm', async () => {
    const world = openQueryWorld({ containers: 3 });
    world.bot('b', 'stopped');
    await Promise.all([world.get(ASK), world.get(ASK)]);
    expect(world.queries.handler.metrics().warm).toBe(2);
    let asked = 0;
    world.ephemeral = () => {
      asked += 1;
      return Promise.reject(new DroverError('QUERY_NO_RESULT', 'it left none'));
    };
    expect(await world.get(ASK)).toMatchObject({ status: 502, body: { code: 'QUERY_NO_RESULT' } });
    world.ephemeral = () => {
      asked += 1;
      return Promise.resolve({ exitCode: 1, body: '{"status":"error","error":"no"}' });
    };
    world.memoryFree = 0.01;
    expect(await world.get(ASK)).toMatchObject({ status: 502, body: { code: 'QUERY_FAILED' } });
    expect(asked).toBe(2);
  });
  it('is in an answer where the kept container had ended before it began', async () => {
    const world = openQueryWorld({ containers: 3 });
    world.bot('b', 'stopped');
    await world.get(ASK);
    let asked = 0;
    world.ephemeral = () => {
      asked += 1;
      const ended = new NotBegun(new DroverError('QUERY_REPLY_INVALID', 'it ended'));
      return asked === 1 ? Promise.reject(ended) : Promise.resolve(OK);
    };
    expect(await wayOf(world.get(ASK))).toBe('cold');
    expect(asked).toBe(2);
  });
  it.each([
    ['a store', 'stopped'],
    ['the engine', 'running'],
  ] as const)('is told in time while %s is slow, and takes no turn from others', async (_what, state) => {
    const world = openQueryWorld({ containers: 1, queue: 0 });
    world.bot('b', state);
    const gate = aGate();
    world.beforeRead = () => gate.pass();
    // The gate is still shut: nothing but its time ends it.
    expect(await world.get(`${ASK}?timeout_sec=0.1`)).toMatchObject({ status: 504, body: { code: 'QUERY_TIMEOUT' } });
    expect(world.queries.handler.metrics()).toMatchObject({ busy: 0, inFlight: 0 });
    gate.open();
    expect(await world.get(ASK)).toMatchObject({ status: 200 });
  });
  it('is told in time while its container is still being made, whose place is free when it is gone', async () => {
    const world = openQueryWorld({ containers: 1, queue: 0 });
    world.bot('b', 'stopped');
    const gate = aGate();
    world.beforeOpen = () => gate.pass();
    expect(await world.get(`${ASK}?timeout_sec=0.1`)).toMatchObject({ status: 504 });
    expect(await world.get(ASK)).toMatchObject({ status: 429 });
    gate.open();
    await expect.poll(() => world.queries.handler.metrics().busy).toBe(0);
    expect({ plans: world.plans.length, live: world.live.size }).toEqual({ plans: 1, live: 0 });
    expect(await world.get(ASK)).toMatchObject({ status: 200 });
  });
  it('is no failure where its caller went away', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    const cancellation = new Cancellation();
    world.running = ({ cancellation: given }) =>
      new Promise((_, reject) => {
        given.onCancel(() => {
          reject(given.reason ?? new Error('no reason'));
        });
      });
    const query = { botId: 'b', path: '/x', params: {}, timeoutMs: 5_000, patient: false };
    const asked = world.queries.handler.ask(query, cancellation);
    await expect.poll(() => world.asked.length).toBe(1);
    cancellation.cancel(new CallerGone());
    await expect(asked).rejects.toThrow('the caller closed the connection');
    expect(world.queries.handler.metrics()).toMatchObject({ failed: {}, inFlight: 0 });
  });
  it('is an error where a large reply begins as one, of a bot that runs and of one that does not', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    world.bot('s', 'stopped');
    const body = JSON.stringify({ status: 'error', error: `told to fail ${'x'.repeat(100_000)}` });
    world.running = () => ({ body });
    world.ephemeral = () => Promise.resolve({ exitCode: 0, body });
    for (const id of ['b', 's']) {
      const { status, body: said } = await world.get(`/v1/bots/${id}/query/x`);
      expect({ status, code: said['code'], error: (said['error'] as string).slice(0, 12) }).toEqual({
        status: 502,
        code: 'QUERY_FAILED',
        error: 'told to fail',
      });
    }
    expect(world.live.size).toBe(0);
  });
  it.each([
    ['parameters', `/v1/bots/s/query/x?a=${'%E2%82%AC'.repeat(45_000)}`],
    ['a path', `/v1/bots/s/query/${'%E2%82%AC'.repeat(45_000)}`],
  ])('is 413 with %s that no process can be given', async (_what, path) => {
    const world = openQueryWorld();
    world.bot('s', 'stopped');
    expect(await world.get(path)).toMatchObject({ status: 413, body: { code: 'QUERY_BODY_TOO_LARGE' } });
    expect(world.plans).toEqual([]);
  });
});
