/** Ephemeral query containers: how many there are, which are kept, and what makes them go (features F4, F7). */
import { describe, expect, it } from 'vitest';
import { aGate, type Gate } from '../support/gate.ts';
import { openQueryWorld, QUERY_DOC } from '../support/query-world.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const ASK = '/v1/bots/b/query/x';
const wayOf = async (asked: Promise<{ headers: Headers }>) => (await asked).headers.get('x-drover-query-way');
const OK = { exitCode: 0, body: '{"status":"ok","data":1}' };
const behind = (gate: Gate) => () => gate.pass().then(() => OK);

describe('ephemeral query containers', () => {
  it('F4: 200 queries at once never make more than the cap; what finds no place is told 429', async () => {
    const world = openQueryWorld({ containers: 3, queue: 5 });
    for (let bot = 0; bot < 20; bot += 1) world.bot(`b${String(bot)}`, 'stopped');
    const gate = aGate();
    world.ephemeral = behind(gate);
    let told = 0;
    const asked = Array.from({ length: 200 }, async (_, at) => {
      const answer = await world.get(`/v1/bots/b${String(at % 20)}/query/x`);
      told += 1;
      return answer;
    });
    await expect.poll(() => told).toBe(192);
    gate.open();
    const all = await Promise.all(asked);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(8);
    const refused = all.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(192);
    expect(refused.every(({ headers }) => headers.get('retry-after') === '2')).toBe(true);
    expect(world.most).toBe(3);
  });

  it('F7: one that answered is kept, and answers the next query', async () => {
    const world = openQueryWorld();
    world.bot('b', 'stopped');
    expect(await wayOf(world.get(ASK))).toBe('cold');
    expect(await wayOf(world.get(ASK))).toBe('warm');
    expect(world.plans).toHaveLength(1);
    expect(world.queries.handler.metrics()).toMatchObject({
      answered: { cold: 1, warm: 1 },
      busy: 0,
      warm: 1,
      waiting: 0,
    });
  });

  it('is gone after its time, at once with a time of 0', async () => {
    const { clock, set } = createVirtualClock(0);
    const world = openQueryWorld({ warmTtlMs: 80 }, {}, true, clock);
    world.bot('b', 'stopped');
    await world.get(ASK);
    set(79);
    expect(world.live.size).toBe(1);
    set(80);
    expect(world.live.size).toBe(0);
    const never = openQueryWorld({ warmTtlMs: 0 });
    never.bot('b', 'stopped');
    await never.get(ASK);
    expect(never.live.size).toBe(0);
  });

  it('of a spec, a code archive or an earlier state never answers for another', async () => {
    const world = openQueryWorld({ containers: 8 });
    world.bot('b', 'stopped');
    await world.get(ASK);
    world.digest = 'd2';
    expect(await wayOf(world.get(ASK))).toBe('cold');
    const document = structuredClone(QUERY_DOC('b')) as { config: object };
    world.document('b', { ...document, config: { ...document.config, symbol: 'ETH' } });
    expect(await wayOf(world.get(ASK))).toBe('cold');
    expect(await wayOf(world.get(`${ASK}?asOf=a1/s1`))).toBe('cold');
    expect(await wayOf(world.get(`${ASK}?asOf=a1/s2`))).toBe('cold');
    expect(await wayOf(world.get(`${ASK}?asOf=a1/s2`))).toBe('warm');
    expect(world.plans.map(({ asOf }) => asOf?.kind)).toEqual([
      undefined,
      undefined,
      undefined,
      'snapshot',
      'snapshot',
    ]);
  });

  it('is dropped when something happens to the bot, also while it answers', async () => {
    const world = openQueryWorld();
    world.bot('b', 'stopped');
    await world.get(ASK);
    world.queries.noticed({ kind: 'bot', botId: 'b' } as never);
    expect(world.live.size).toBe(0);
    const gate = aGate();
    world.ephemeral = behind(gate);
    const asked = world.get(ASK);
    await gate.reached();
    world.queries.noticed({ kind: 'run', botId: 'b/20260101T000000Z' } as never);
    gate.open();
    expect(await asked).toMatchObject({ status: 200 });
    expect(world.live.size).toBe(0);
  });

  it('is not kept while memory is short', async () => {
    const world = openQueryWorld();
    world.bot('b', 'stopped');
    world.memoryFree = 0.05;
    expect(await world.get(ASK)).toMatchObject({ status: 200 });
    expect(world.live.size).toBe(0);
  });

  it('the one that was kept the longest makes room for another bot', async () => {
    const world = openQueryWorld({ containers: 2 });
    for (const bot of ['a', 'b', 'c']) world.bot(bot, 'stopped');
    await world.get('/v1/bots/a/query/x');
    await world.get('/v1/bots/b/query/x');
    expect(await wayOf(world.get('/v1/bots/c/query/x'))).toBe('cold');
    expect(await wayOf(world.get('/v1/bots/b/query/x'))).toBe('warm');
    expect({ most: world.most, live: world.live.size }).toEqual({ most: 2, live: 2 });
  });

  it('F3: is gone after a timeout, and its place is free', async () => {
    const world = openQueryWorld({ containers: 1, queue: 0 });
    world.bot('b', 'stopped');
    world.ephemeral = (_call, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error);
        });
      });
    expect(await world.get(`${ASK}?timeout_sec=0.1`)).toMatchObject({ status: 504, body: { code: 'QUERY_TIMEOUT' } });
    expect(world.live.size).toBe(0);
    world.ephemeral = () => Promise.resolve(OK);
    expect(await world.get(ASK)).toMatchObject({ status: 200 });
  });

  it('one that cannot be made frees its place', async () => {
    const world = openQueryWorld({ containers: 1, queue: 0 });
    world.bot('b', 'stopped');
    world.openFails = 'ENGINE_UNAVAILABLE';
    for (let round = 0; round < 3; round += 1) expect(await world.get(ASK)).toMatchObject({ status: 503 });
    world.openFails = undefined;
    expect(await world.get(ASK)).toMatchObject({ status: 200 });
  });

  it('waits no longer than its time for a place', async () => {
    const world = openQueryWorld({ containers: 1, queue: 4 });
    world.bot('b', 'stopped');
    const gate = aGate();
    world.ephemeral = behind(gate);
    const first = world.get(ASK);
    await gate.reached();
    expect(await world.get(`${ASK}?timeout_sec=0.1`)).toMatchObject({ status: 504 });
    gate.open();
    expect(await first).toMatchObject({ status: 200 });
    expect(world.queries.handler.metrics().waiting).toBe(0);
  });
});
