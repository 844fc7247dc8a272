/** What callers of the schedules' API get wrong, and what none of them may lose or break. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceSchedule, type ScheduleChange } from '../support/reference-document.ts';
import { aDocument, openApp, type ServedApp } from '../support/served.ts';
import { cases } from '../support/full.ts';

let api: ServedApp;
beforeAll(async () => {
  api = await openApp();
});
afterAll(() => api.close());

type Json = Readonly<Record<string, unknown>>;
const call = async (
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; json: Json; text: string }> => {
  const response = await api.app.request(`http://127.0.0.1/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, json: JSON.parse(text) as Json };
};
const aSchedule = (id: string, change: Partial<ScheduleChange> = {}) =>
  referenceSchedule(id, { schedule: '0 9 * * *', ...change });
const put = (id: string, change: Partial<ScheduleChange> = {}) =>
  call('PUT', `/schedules/${id}`, aSchedule(id, change));
const stateIs = (id: string, state: string): Promise<void> =>
  expect.poll(async () => (await call('GET', `/schedules/${id}`)).json['state']).toBe(state);

describe('commands of a schedule', () => {
  const refused = async (kind: string, body: unknown, status: number): Promise<void> => {
    await put('asked');
    await stateIs('asked', 'armed');
    const answer = await call('POST', `/schedules/asked/${kind}`, body);
    expect(answer.status).toBe(status);
    expect(answer.json['error']).toMatchObject({ code: 'REQUEST_INVALID', remedy: expect.any(String) as unknown });
    expect((await api.stores.schedules.read('asked'))?.requests).toEqual([]);
    expect((await call('GET', '/schedules/asked')).json).toMatchObject({ state: 'armed', runs: [] });
  };
  it.each<[string, unknown, number]>([
    ['pause', '{"until": "2030-', 400],
    ['pause', '[1]', 400],
    ['pause', { unitl: '2030-01-01T00:00:00Z' }, 422],
    ['pause', { until: null }, 422],
    ['pause', { until: '2030-01-01T00:00:00' }, 422],
    ['pause', { reason: 7 }, 422],
    ['trigger', { at: 7 }, 422],
    ['backfill', {}, 422],
    ['backfill', { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z', again: 'true' }, 422],
    ['backfill', { from: '2026-01-01T00:00:00Z', to: '9999-01-02T00:00:00Z' }, 422],
  ])('%s %j is %i, and nothing is done', refused);
  it('a body that no command has is 413', () => refused('pause', { reason: 'x'.repeat(100_000) }, 413));
  it('name the field that is wrong', async () => {
    await put('asked');
    const { json } = await call('POST', '/schedules/asked/backfill', { from: '2026-01-01T00:00:00Z' });
    expect(json['error']).toMatchObject({ pointers: [{ pointer: '/to' }] });
  });
  it('a run is never named by a path, nor by more than a name can hold', async () => {
    await put('named');
    await stateIs('named', 'armed');
    for (const given of ['../../../etc/passwd', 'a/b', '/'.repeat(100), 'x'.repeat(90)]) {
      const { json } = await call('POST', '/schedules/named/trigger', {}, { 'x-request-id': given });
      expect(json['key']).toMatch(/^c-[0-9a-f]{32}$/);
      // The same command again, of a caller that missed the answer.
      const again = await call('POST', '/schedules/named/trigger', {}, { 'x-request-id': given });
      expect(again.json['key']).toBe(json['key']);
    }
    const plain = await call('POST', '/schedules/named/trigger', {}, { 'x-request-id': 'deploy_7.2' });
    expect(plain.json).toMatchObject({ requestId: 'deploy_7.2', key: 'c-deploy_7.2' });
  });
  it('make no runs of what is off or cannot be read', async () => {
    await put('off', { enabled: false });
    await api.stores.schedules.put('torn', aSchedule('torn', { schedule: 'never' }), {
      requestId: 'r',
      actor: 'another program',
      action: 'put',
      at: Date.now(),
    });
    const range = { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' };
    for (const id of ['off', 'torn']) {
      expect((await call('POST', `/schedules/${id}/trigger`)).status).toBe(409);
      expect((await call('POST', `/schedules/${id}/backfill`, range)).status).toBe(409);
    }
    expect((await call('GET', '/schedules/torn')).json).toMatchObject({ meaning: null, next: [], policy: null });
  });
});

describe('one id, one thing', () => {
  it('also when a bot and a schedule are put at once', async () => {
    for (let round = 0; round < 10; round += 1) {
      const id = `raced-${String(round)}`;
      const both = await Promise.all([call('PUT', `/bots/${id}`, aDocument(id)), put(id)]);
      expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    }
  });
  it('a document put while its schedule is being disabled is not lost', async () => {
    await put('kept');
    for (let round = 0; round < 10; round += 1) {
      const config = { type: 'scheduled/kept', round };
      await Promise.all([
        call('POST', '/schedules/kept/disable'),
        put('kept', { config }),
        call('POST', '/schedules/kept/enable'),
      ]);
      const { document } = (await call('GET', '/schedules/kept?secrets=true')).json as { document: { config: Json } };
      expect(document.config).toMatchObject({ round });
    }
  });
});

describe('what a schedule shows', () => {
  it('its secrets only to those who ask, and a masked document is not stored', async () => {
    await put('rich', { config: { type: 'scheduled/rich', apiSecret: 'canary-42' } });
    for (const path of ['/schedules', '/schedules/rich', '/schedules/rich/runs', '/transitions?bot=rich']) {
      const response = await api.app.request(`http://127.0.0.1/v1${path}`);
      expect(await response.text(), path).not.toContain('canary-42');
    }
    const { document } = (await call('GET', '/schedules/rich')).json;
    expect((await call('PUT', '/schedules/rich', document)).status).toBe(422);
    const open = await call('GET', '/schedules/rich?secrets=true');
    expect(open.json).toMatchObject({
      document: { config: { apiSecret: 'canary-42' } },
      effective: { config: { apiSecret: 'canary-42' } },
    });
  });
  it('D1: a beat counts from when it was put, and another beat from then', async () => {
    const HOUR = 3_600_000;
    for (const hours of [7, 5]) {
      const before = Date.now();
      const { json } = await put('beat', { schedule: `@every ${String(hours)}h` });
      const next = (json['next'] as readonly string[]).map((text) => Date.parse(text));
      expect(next).toHaveLength(5);
      expect(next[0]).toBeGreaterThan(before + hours * HOUR - 2_000);
      expect(next[0]).toBeLessThan(Date.now() + hours * HOUR + 2_000);
      expect((next[4] ?? 0) - (next[0] ?? 0)).toBe(4 * hours * HOUR);
      await stateIs('beat', 'armed');
      const shown = async (): Promise<number> =>
        Math.abs(
          Date.parse(((await call('GET', '/schedules/beat')).json['next'] as readonly string[])[0] ?? '') -
            (next[0] ?? 0),
        );
      await expect.poll(shown).toBeLessThanOrEqual(1_000);
    }
  });
  it('how many of its runs go on and how many wait', async () => {
    await put('counted');
    await stateIs('counted', 'armed');
    for (const _ of [1, 2, 3]) await call('POST', '/schedules/counted/trigger');
    await expect
      .poll(async () => (await call('GET', '/schedules/counted')).json)
      .toMatchObject({ going: 1, waiting: 2 });
    const { json } = await call('GET', '/schedules');
    const listed = json as unknown as readonly Json[];
    expect(listed.find(({ scheduleId }) => scheduleId === 'counted')).toMatchObject({ going: 1, waiting: 2 });
  });
});

describe('ranges', () => {
  beforeAll(async () => {
    await put('ranged', { schedule: '0 2 29 2 *', drover: { timeZone: 'Europe/Berlin' } });
  });
  it.each([
    '/ranged/preview?from=2030-01-02T00:00:00Z&to=2030-01-01T00:00:00Z',
    '/ranged/preview?from=1970-01-01T00:00:00Z&to=9999-01-01T00:00:00Z',
    '/ranged/preview?to=2020-01-01T00:00:00Z',
    '/ranged/preview?limit=10001',
    '/preview?from=2030-01-01T00:00:00Z&to=2032-01-01T00:00:00Z',
    '/preview?from=2030-01-01',
    '/ranged/runs?limit=0',
    '/ranged/runs?before=yesterday',
  ])('%s is refused', async (path) => {
    expect(await call('GET', `/schedules${path}`)).toMatchObject({
      status: 422,
      json: { error: { code: 'REQUEST_INVALID' } },
    });
  });
  it('leap days of the next fifty years are shown', async () => {
    const { json } = await call(
      'GET',
      '/schedules/ranged/preview?from=2030-01-01T00:00:00Z&to=2079-12-31T00:00:00Z&limit=99',
    );
    expect(json['times']).toHaveLength(12);
    expect(json['more']).toBe(false);
  });
});

it('whatever is sent never makes a 5xx (fault R2)', async () => {
  await put('a');
  const words = [
    '',
    '/preview',
    '/runs',
    '/runs/x',
    '/pause',
    '/resume',
    '/trigger',
    '/backfill',
    '/enable',
    '/disable',
  ];
  const query = fc.record(
    { from: fc.string(), to: fc.string(), limit: fc.string(), before: fc.string(), all: fc.string() },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.constantFrom('a', 'preview', 'nobody'), fc.string({ minLength: 1, maxLength: 20 })),
      fc.constantFrom(...words),
      query,
      fc.constantFrom('GET', 'PUT', 'POST', 'DELETE'),
      fc.oneof(
        fc.jsonValue().map((value) => JSON.stringify(value)),
        fc.constant(JSON.stringify(aSchedule('a'))),
        fc.string(),
      ),
      async (id, word, given, method, body) => {
        const path = `/v1/schedules/${encodeURIComponent(id)}${word}?${new URLSearchParams(given).toString()}`;
        const response = await api.app.request(`http://127.0.0.1${path}`, {
          method,
          ...(method === 'GET' ? {} : { body, headers: { 'content-type': 'application/json' } }),
        });
        expect(response.status, `${method} ${path} ${body}`).toBeLessThan(500);
      },
    ),
    { numRuns: cases(50, 300) },
  );
});
