/** What callers of queries are told, for each way in which one can end (features F4–F8, faults R2, R22, R38, R39). */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { DroverError } from '../../src/domain/errors.ts';
import { aGate } from '../support/gate.ts';
import { openQueryWorld, QUERY_DOC, type QueryWorld } from '../support/query-world.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const ASK = '/v1/bots/b/query/x';
const never = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });

interface Case {
  readonly name: string;
  readonly given: (world: QueryWorld) => void;
  readonly path?: string;
  readonly expected: object;
  readonly status: number;
}

const CASES: readonly Case[] = [
  {
    name: 'F5: 200 from a bot that runs',
    given: (w) => {
      w.bot('b', 'running');
    },
    status: 200,
    expected: { data: { x: 1 } },
  },
  {
    name: 'F2: 200 from a bot that is stopped',
    given: (w) => {
      w.bot('b', 'stopped');
    },
    status: 200,
    expected: { data: { x: 1 } },
  },
  {
    name: 'F2: 200 from one that failed',
    given: (w) => {
      w.bot('b', 'failed.exhausted');
    },
    status: 200,
    expected: { data: { x: 1 } },
  },
  {
    name: 'R39: 404 for an unknown bot',
    given: () => undefined,
    status: 404,
    expected: { code: 'BOT_NOT_FOUND', botState: null, retryable: false },
  },
  {
    name: 'R39: 404 for a deleted bot',
    given: (w) => {
      w.bot('b', 'deleted');
      w.document('b', null);
    },
    status: 404,
    expected: { code: 'BOT_NOT_FOUND' },
  },
  {
    name: 'R2: 404 for a path as an id',
    given: () => undefined,
    path: '/v1/bots/a%2Fb/query/x',
    status: 404,
    expected: { code: 'BOT_NOT_FOUND' },
  },
  {
    name: 'R2: 400 for an id that is not well encoded',
    given: () => undefined,
    path: '/v1/bots/%ff/query/x',
    status: 400,
    expected: {},
  },
  {
    name: 'R39: 503 while it starts',
    given: (w) => {
      w.bot('b', 'starting');
    },
    status: 503,
    expected: { code: 'BOT_NOT_READY', botState: 'starting', retryable: true },
  },
  {
    name: 'R39: 503 while it stops',
    given: (w) => {
      w.bot('b', 'stopping');
    },
    status: 503,
    expected: { code: 'BOT_NOT_READY', botState: 'stopping' },
  },
  {
    name: 'R39: 409 for one that is paused',
    given: (w) => {
      w.bot('b', 'running', { container: { ref: { node: 'n', id: 'c' }, paused: true } as never });
    },
    status: 409,
    expected: { code: 'BOT_PAUSED', botState: 'paused' },
  },
  {
    name: 'F5: 409 for a document that is broken',
    given: (w) => {
      w.bot('b', 'stopped');
      w.document('b', { id: 'b' });
    },
    status: 409,
    expected: { code: 'DOCUMENT_INVALID', botState: 'stopped' },
  },
  {
    name: '404 for one without a query program',
    given: (w) => {
      w.bot('b', 'running');
      w.endpoint = 'mute';
    },
    status: 404,
    expected: { code: 'QUERY_UNSUPPORTED' },
  },
  {
    name: 'F5: 422 for a time without a zone',
    given: (w) => {
      w.bot('b', 'running');
    },
    path: `${ASK}?asOf=2026-01-01`,
    status: 422,
    expected: { code: 'REQUEST_INVALID' },
  },
  {
    name: 'F9: 422 for a time that is still to come',
    given: (w) => {
      w.bot('b', 'running');
    },
    path: `${ASK}?asOf=2999-01-01T00:00:00Z`,
    status: 422,
    expected: { code: 'REQUEST_INVALID' },
  },
  {
    name: 'F5: 422 for a timeout beyond the longest',
    given: (w) => {
      w.bot('b', 'running');
    },
    path: `${ASK}?timeout_sec=9999`,
    status: 422,
    expected: { code: 'REQUEST_INVALID' },
  },
  {
    name: 'R38: 504 from one that is slow',
    given: (w) => {
      w.bot('b', 'running');
      w.running = ({ cancellation }) => never(cancellation.signal);
    },
    path: `${ASK}?timeout_sec=0.1`,
    status: 504,
    expected: { code: 'QUERY_TIMEOUT', botState: 'running', retryable: true },
  },
  {
    name: 'R38: 502 where its server never comes up',
    given: (w) => {
      w.bot('b', 'running');
      w.running = () => Promise.reject(new DroverError('QUERY_UNREACHABLE', 'refused'));
    },
    status: 502,
    expected: { code: 'QUERY_UNREACHABLE', retryable: true },
  },
  {
    name: 'R38: 503 where it may still come up',
    given: (w) => {
      w.bot('b', 'running', { container: { ref: { node: 'n', id: 'c' }, startedAt: Date.now() } as never });
      w.running = () => Promise.reject(new DroverError('QUERY_UNREACHABLE', 'refused'));
    },
    status: 503,
    expected: { code: 'BOT_NOT_READY' },
  },
  {
    name: 'R38: 502 for garbage',
    given: (w) => {
      w.bot('b', 'running');
      w.running = () => ({ body: '<html>' });
    },
    status: 502,
    expected: { code: 'QUERY_REPLY_INVALID' },
  },
  {
    name: 'R38: 502 for a reply that is too large',
    given: (w) => {
      w.bot('b', 'running');
      w.running = () => ({ bytes: 2_000_000, body: 'x' });
    },
    status: 502,
    expected: { code: 'QUERY_REPLY_TOO_LARGE' },
  },
  {
    name: 'R38: 502 for a handler that failed, in its own words',
    given: (w) => {
      w.bot('b', 'running');
      w.running = () => ({ status: 500, body: '{"status":"error","error":"no price","hint":7}' });
    },
    status: 502,
    expected: { code: 'QUERY_FAILED', error: 'no price', hint: 7 },
  },
  {
    name: 'R38: 200 that says error is one',
    given: (w) => {
      w.bot('b', 'running');
      w.running = () => ({ body: '{"status":"error","error":"no price"}' });
    },
    status: 502,
    expected: { code: 'QUERY_FAILED', error: 'no price' },
  },
  {
    name: '404 for a path that the bot has no handler for',
    given: (w) => {
      w.bot('b', 'running');
      w.running = () => ({ status: 404, body: '{"status":"error","error":"No handler for path: /x"}' });
    },
    status: 404,
    expected: { code: 'QUERY_PATH_UNKNOWN', error: 'No handler for path: /x' },
  },
  {
    name: '404 likewise from a file, with what there is',
    given: (w) => {
      w.bot('b', 'stopped');
      w.ephemeral = () =>
        Promise.resolve({ exitCode: 1, body: '{"status":"error","error":"none","available":["/y"]}' });
    },
    status: 404,
    expected: { code: 'QUERY_PATH_UNKNOWN', available: ['/y'], botState: 'stopped' },
  },
  {
    name: 'the status of a server that refuses parameters',
    given: (w) => {
      w.bot('b', 'running');
      w.running = () => ({ status: 422, body: '{"error":"limit"}' });
    },
    status: 422,
    expected: { code: 'QUERY_FAILED', error: 'limit' },
  },
  {
    name: 'pitfall 66: 503 and not 404 when the store is away',
    given: (w) => {
      w.storeAway = true;
    },
    status: 503,
    expected: { code: 'STORE_UNAVAILABLE', retryable: true },
  },
  {
    name: '503 when the archive store is away',
    given: (w) => {
      w.bot('b', 'stopped');
      w.openFails = 'STORAGE_UNAVAILABLE';
    },
    status: 503,
    expected: { code: 'STORAGE_UNAVAILABLE' },
  },
  {
    name: '409 when its code is broken',
    given: (w) => {
      w.bot('b', 'stopped');
      w.openFails = 'ARCHIVE_CORRUPT';
    },
    status: 409,
    expected: { code: 'ARCHIVE_CORRUPT', retryable: false },
  },
  {
    name: '405 for another method',
    given: () => undefined,
    path: 'DELETE',
    status: 405,
    expected: { status: 'error' },
  },
];

describe('queries as REST', () => {
  for (const { name, given, path = ASK, status, expected } of CASES) {
    it(name, async () => {
      const world = openQueryWorld();
      given(world);
      const answer = path === 'DELETE' ? await world.send('DELETE', ASK) : await world.get(path);
      expect({ status: answer.status, body: answer.body }).toMatchObject({ status, body: expected });
      if (status === 503 || status === 429) expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    });
  }

  it('pitfall 60: parameters reach a running bot in the URL and in the body', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    await world.post(`${ASK}?limit=5`, { nested: { a: [1] }, flag: true, text: 'ä b' });
    const [{ path, body } = { path: '', body: '' }] = world.asked;
    const { pathname, searchParams } = new URL(path, 'http://bot');
    expect(pathname).toBe('/x');
    expect(Object.fromEntries(searchParams)).toEqual({ limit: '5', nested: '{"a":[1]}', flag: 'true', text: 'ä b' });
    expect(JSON.parse(body ?? '')).toEqual({ limit: '5', nested: { a: [1] }, flag: true, text: 'ä b' });
  });

  it('a running bot is looked up once, whatever it is asked', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    for (let round = 0; round < 20; round += 1) await world.get(ASK);
    expect({ looks: world.looks, asked: world.asked.length, plans: world.plans.length }).toEqual({
      looks: 1,
      asked: 20,
      plans: 0,
    });
  });

  it('R2: a corpus of wrong requests makes no 5xx, no query and no event', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    const deep = `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`;
    const bodies = [
      '{',
      '[]',
      '"x"',
      '7',
      'null',
      deep,
      '['.repeat(100_000),
      '\u0000',
      'x'.repeat(70_000),
      Buffer.from([0x7b, 0xff, 0x7d]),
    ];
    const paths = [
      ASK,
      '/query',
      '/v1/bots/b/query/%ff',
      '/v1/bots/%2e%2e%2fb/query/x',
      '/v1/bots/b/query/../../../x',
      '/v1/bots//query/x',
      '/x',
    ];
    for (const path of paths) {
      for (const body of bodies) {
        const { status } = await world.post(path, body);
        expect({ path, body: String(body).slice(0, 20), ok: status >= 400 && status < 500 }).toMatchObject({
          ok: true,
        });
      }
    }
    expect(world.asked).toEqual([]);
    const { status } = await world.post(ASK, '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect([status, ({} as { polluted?: number }).polluted]).toEqual([200, undefined]);
  });

  it('R2: 413 before a large body is read whole', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    expect(await world.post(ASK, 'x'.repeat(70_000))).toMatchObject({
      status: 413,
      body: { code: 'QUERY_BODY_TOO_LARGE' },
    });
  });

  it('a large reply is streamed as it comes, and cut at the limit', async () => {
    const world = openQueryWorld({ maxReplyBytes: 300_000 });
    world.bot('b', 'running');
    const chunks = (count: number) =>
      Readable.from(
        Array.from({ length: count }, () => Buffer.alloc(10_000, 0x20)),
        { objectMode: false },
      );
    world.running = () => ({ contentType: 'text/plain', body: chunks(29) });
    const whole = await world.app.request(`http://localhost${ASK}`);
    expect((await whole.arrayBuffer()).byteLength).toBe(290_000);
    world.running = () => ({ contentType: 'text/plain', body: chunks(40) });
    const cut = await world.app.request(`http://localhost${ASK}`);
    await expect(cut.arrayBuffer()).rejects.toThrow(/more than 300000 bytes/);
    expect(world.queries.handler.metrics().inFlight).toBe(0);
  });

  it('case F11: a storm on one running bot waits in order, and each is answered', async () => {
    const world = openQueryWorld({ inFlightPerBot: 4 });
    world.bot('b', 'running');
    const gate = aGate();
    const order: string[] = [];
    world.running = async ({ path }) => {
      order.push(path);
      await gate.pass();
      return { body: '{"status":"ok"}' };
    };
    const storm = Array.from({ length: 50 }, (_none, n) => world.get(`/v1/bots/b/query/n${String(n)}`));
    await expect.poll(() => order.length).toBe(4);
    gate.open();
    const all = await Promise.all(storm);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(50);
    expect(order).toEqual(Array.from({ length: 50 }, (_none, n) => `/n${String(n)}`));
    expect(world.queries.handler.metrics().inFlight).toBe(0);
  });

  it('case F11: who still waits when the time of the caller ends is told 429 with Retry-After, and leaves the line', async () => {
    const time = createVirtualClock(1_000_000);
    const world = openQueryWorld({ inFlightPerBot: 4 }, {}, true, time.clock);
    world.bot('b', 'running');
    world.bot('other', 'running');
    const gate = aGate();
    world.running = async ({ path }) => {
      if (path !== '/free') await gate.pass();
      return { body: '{"status":"ok"}' };
    };
    const busy = Array.from({ length: 4 }, () => world.get(ASK));
    await expect.poll(() => world.queries.handler.metrics().inFlight).toBe(4);
    const waits = world.get(ASK);
    await expect.poll(() => world.queries.handler.metrics().inFlight).toBe(5);
    // A line is of one bot.
    expect(await world.get('/v1/bots/other/query/free')).toMatchObject({ status: 200 });
    time.set(time.clock.now() + 60_000);
    expect(await waits).toMatchObject({
      status: 429,
      body: { code: 'QUERY_OVERLOADED', botState: 'running', retryable: true },
    });
    gate.open();
    await Promise.all(busy);
    expect(world.queries.handler.metrics().inFlight).toBe(0);
    expect(await world.get(ASK)).toMatchObject({ status: 200 });
  });

  it('R39, case F11: a line that is full refuses at once, and nothing is left under way', async () => {
    const world = openQueryWorld({ inFlightPerBot: 2 });
    world.bot('b', 'running');
    const gate = aGate();
    world.running = () => gate.pass().then(() => ({ body: '{"status":"ok"}' }));
    let told = 0;
    const storm = Array.from({ length: 50 }, async () => {
      const answer = await world.get(ASK);
      told += 1;
      return answer;
    });
    // Two in flight, and sixteen for each of them in the line.
    await expect.poll(() => told).toBe(16);
    gate.open();
    const all = await Promise.all(storm);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(34);
    expect(all.filter(({ status }) => status === 429)).toHaveLength(16);
    expect(world.queries.handler.metrics().inFlight).toBe(0);
  });

  it('R22: at the end queries under way are finished, or told 503, and every container is gone', async () => {
    const time = createVirtualClock(1_000_000);
    const world = openQueryWorld({}, {}, true, time.clock);
    world.bot('b', 'running');
    world.bot('s', 'stopped');
    await world.get('/v1/bots/s/query/x');
    const gate = aGate();
    world.running = async ({ path, cancellation }) => {
      if (path === '/never') return never(cancellation.signal);
      await gate.pass();
      return { body: '{"status":"ok","data":1}' };
    };
    const finished = world.get('/v1/bots/b/query/soon');
    const cut = world.get('/v1/bots/b/query/never');
    await expect.poll(() => world.asked.length).toBe(2);
    // The time that is left does not pass before the first is answered.
    const { clock, set } = time;
    const ended = world.queries.end(1_000);
    gate.open();
    expect(await finished).toMatchObject({ status: 200 });
    set(clock.now() + 1_000);
    await ended;
    expect(await cut).toMatchObject({ status: 503, body: { code: 'QUERY_ENDING' } });
    expect(await world.get(ASK)).toMatchObject({ status: 503, body: { code: 'QUERY_ENDING' } });
    expect(world.live.size).toBe(0);
  });

  it('a caller that goes away ends the query, and its container', async () => {
    const world = openQueryWorld();
    world.document('b', QUERY_DOC('b'));
    world.bot('b', 'stopped');
    world.ephemeral = (_, signal) => never(signal);
    const caller = new AbortController();
    const asked = world.app.request(`http://localhost${ASK}`, { signal: caller.signal });
    await expect.poll(() => world.live.size).toBe(1);
    caller.abort();
    await asked;
    expect(world.live.size).toBe(0);
  });
});
