/** `POST /query` and `GET /health` as callers of the reference know them (contract §8.3). */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openQueryWorld } from '../support/query-world.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const stamped = (fields: object): object => ({
  ...fields,
  duration: expect.any(Number) as number,
  timestamp: expect.stringMatching(RFC3339) as string,
});

describe('POST /query', () => {
  it('answers in the envelope, with the path completed and extra fields left out', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    world.running = () => ({ body: '{"status":"ok","data":{"n":1},"more":2}' });
    const { status, body } = await world.post('/query', { bot_id: 'b', query_path: 'x?a=1', params: { b: { c: 2 } } });
    expect(status).toBe(200);
    expect(body).toEqual(stamped({ status: 'ok', data: { n: 1 } }));
    expect(Number.isInteger(body['duration'])).toBe(true);
    expect(world.asked[0]?.path).toBe('/x?a=1&b=%7B%22c%22%3A2%7D');
  });

  it('keeps every digit of a number', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    world.running = () => ({ body: '{"status": "ok", "data": {"order": 12345678901234567890, "price": 0.10}} \n' });
    const response = await world.app.request('http://localhost/query', {
      method: 'POST',
      body: JSON.stringify({ bot_id: 'b', query_path: '/x' }),
    });
    const text = await response.text();
    expect(text).toContain('"order": 12345678901234567890, "price": 0.10}');
    expect(JSON.parse(text)).toMatchObject(stamped({ status: 'ok' }));
  });

  it('leaves data out where there is none', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    world.running = () => ({ body: '{"status":"ok","data":null}' });
    expect((await world.post('/query', { bot_id: 'b', query_path: '/x' })).body).toEqual(stamped({ status: 'ok' }));
  });

  it('streams a large answer in its envelope', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    const parts = ['{"status":"ok","data":"', ...Array.from({ length: 40 }, () => 'y'.repeat(10_000)), '"}\n'];
    world.running = () => ({
      body: Readable.from(
        parts.map((part) => Buffer.from(part)),
        { objectMode: false },
      ),
    });
    const { status, body } = await world.post('/query', { bot_id: 'b', query_path: '/x' });
    expect(status).toBe(200);
    expect(body).toEqual(stamped({ status: 'ok', data: 'y'.repeat(400_000) }));
  });

  it.each([
    ['{', 'invalid request body: the body is not JSON'],
    [{ query_path: '/x' }, 'bot_id is required'],
    [{ bot_id: 'b' }, 'query_path is required'],
    [{ bot_id: 7, query_path: '/x' }, /^invalid request body/],
    [{ bot_id: 'b', query_path: '/x', params: [1] }, /^invalid request body/],
    [{ bot_id: 'b', query_path: '/x', timeout_sec: 'soon' }, /^invalid request body/],
  ])('400 for %j', async (body, error) => {
    const world = openQueryWorld();
    const answer = await world.post('/query', body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject(stamped({ status: 'error' }));
    expect(answer.body['error']).toMatch(error);
  });

  it('405 for another method, 404 for an unknown bot and for one without a query program', async () => {
    const world = openQueryWorld();
    expect((await world.get('/query')).status).toBe(405);
    expect(await world.post('/query', { bot_id: 'b', query_path: '/x' })).toMatchObject({ status: 404 });
    world.bot('b', 'running');
    world.endpoint = 'mute';
    expect(await world.post('/query', { bot_id: 'b', query_path: '/x' })).toMatchObject({
      status: 404,
      body: stamped({ status: 'error' }),
    });
  });

  it('500 with the handler’s own words, of a bot that runs and of one that does not (pitfall 61)', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    world.running = () => ({ status: 500, body: '{"status":"error","error":"no price"}' });
    const expected = { status: 500, body: stamped({ status: 'error', error: 'no price' }) };
    expect(await world.post('/query', { bot_id: 'b', query_path: '/x' })).toMatchObject(expected);
    world.bot('b', 'stopped');
    world.ephemeral = () => Promise.resolve({ exitCode: 1, body: '{"status":"error","error":"no price"}' });
    expect(await world.post('/query', { bot_id: 'b', query_path: '/x' })).toMatchObject(expected);
  });

  it('waits for a bot that starts, within its time', async () => {
    const { clock, next, set } = createVirtualClock(0);
    const world = openQueryWorld({}, {}, true, clock);
    world.bot('b', 'starting');
    const asked = world.post('/query', { bot_id: 'b', query_path: '/x', timeout_sec: 2 });
    for (const look of [50, 100, 150]) {
      await expect.poll(next).toBe(look);
      expect(world.asked).toEqual([]);
      if (look === 150) world.bot('b', 'running');
      set(look);
    }
    expect(await asked).toMatchObject({ status: 200 });
    world.bot('b', 'stopping');
    const late = world.post('/query', { bot_id: 'b', query_path: '/x', timeout_sec: 1 });
    await expect.poll(next).toBe(200);
    set(1_150);
    expect(await late).toMatchObject({
      status: 500,
      body: { error: 'the bot did not answer within 1000 ms' },
    });
  });

  it('a schedule is asked in a container of its own, and a bot of the same id wins over it', async () => {
    const world = openQueryWorld();
    world.schedule('s');
    world.bot('s', 'running');
    await world.post('/query', { bot_id: 's', query_path: '/x' });
    expect({ asked: world.asked.length, plans: world.plans.length }).toEqual({ asked: 1, plans: 0 });
  });

  it('takes the name that another program knows the bot by', async () => {
    const world = openQueryWorld();
    world.bot('b', 'running');
    world.names.set('65f000000000000000000001', 'b');
    expect(await world.post('/query', { bot_id: '65f000000000000000000001', query_path: '/x' })).toMatchObject({
      status: 200,
    });
  });

  it('GET /health answers whatever the method', async () => {
    const world = openQueryWorld();
    for (const method of ['GET', 'POST', 'DELETE']) {
      const response = await world.app.request('http://localhost/health', { method });
      expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
    }
  });
});
