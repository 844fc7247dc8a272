/** The API and the command line of schedules, on real stores, with a scripted engine. */
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type Served } from '../../src/api/serve.ts';
import { createApiClient } from '../../src/cli/api-client.ts';
import { createProgram } from '../../src/cli/program.ts';
import { untilOf } from '../../src/cli/schedule-actions.ts';
import { referenceSchedule, type ScheduleChange } from '../support/reference-document.ts';
import { aDocument, openApp, type ServedApp } from '../support/served.ts';

let api: ServedApp;
let served: Served;
beforeAll(async () => {
  api = await openApp();
  served = await serve({ fetch: api.app.fetch }, { host: '127.0.0.1', port: 0, setting: 'HTTP_PORT' });
});
afterAll(async () => {
  await served.close();
  await api.close();
});

type Json = Readonly<Record<string, unknown>>;
const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; json: Json }> => {
  const response = await api.app.request(`http://127.0.0.1/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'x-drover-actor': 'ann' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Json };
};
const put = (id: string, change: Partial<ScheduleChange> = {}) =>
  call('PUT', `/schedules/${id}`, referenceSchedule(id, { schedule: '0 9 * * 1-5', ...change }));
const armed = async (id: string): Promise<void> => {
  await expect.poll(async () => (await call('GET', `/schedules/${id}`)).json['state']).toBe('armed');
};

describe('schedules over the API', () => {
  it('D1: put, echoes what the text means and the next five; the same again changes nothing', async () => {
    const first = await put('a', { drover: { timeZone: 'Asia/Kathmandu' } });
    expect(first.status).toBe(201);
    expect(first.json).toMatchObject({ changed: true, meaning: { text: '0 9 * * 1-5', timeZone: 'Asia/Kathmandu' } });
    expect(first.json['next']).toHaveLength(5);
    expect((first.json['next'] as readonly string[]).every((at) => at.endsWith('T03:15:00.000Z'))).toBe(true);
    expect(await put('a', { drover: { timeZone: 'Asia/Kathmandu' } })).toMatchObject({
      status: 200,
      json: { changed: false },
    });
    await armed('a');
    const { json } = await call('GET', '/schedules/a');
    expect(json).toMatchObject({ enabled: true, schedule: '0 9 * * 1-5', policy: { overlap: 'forbid' }, runs: [] });
    expect(json['document']).toMatchObject({ config: { schedule: '0 9 * * 1-5' } });
    expect((await call('GET', '/schedules')).json).toMatchObject([{ scheduleId: 'a', state: 'armed' }]);
  });
  it.each([
    ['an invalid text', { schedule: '61 * * * *' }],
    ['an impossible date', { schedule: '0 0 31 2 *' }],
    ['an unknown zone', { schedule: '@daily', drover: { timeZone: 'Mars/Base' } }],
    ['a word that is no policy', { schedule: '@daily', drover: { overlap: 'maybe' } }],
    ['a realtime type', { schedule: '@daily', config: { type: 'realtime/x' } }],
  ])('R3: %s is 422, with a pointer', async (_what, change) => {
    const { status, json } = await put('wrong', change);
    expect(status).toBe(422);
    expect((json['error'] as { pointers: readonly unknown[] }).pointers.length).toBeGreaterThan(0);
    expect((await call('GET', '/schedules/wrong')).status).toBe(404);
  });
  it('one id is not a bot and a schedule at once', async () => {
    await call('PUT', '/bots/both', aDocument('both'));
    expect((await put('both')).status).toBe(409);
    await put('other');
    expect((await call('PUT', '/bots/other', aDocument('other'))).status).toBe(409);
    expect((await put('preview')).status).toBe(422);
  });
  it('D9: trigger runs once, and its record can be read', async () => {
    await put('t');
    await armed('t');
    const { status, json } = await call('POST', '/schedules/t/trigger', { reason: 'now' });
    expect(status).toBe(202);
    const key = String(json['key']);
    await expect.poll(async () => (await call('GET', `/schedules/t/runs/${key}`)).json['status']).toBe('running');
    expect(await call('GET', '/schedules/t/runs')).toMatchObject({
      status: 200,
      json: { runs: [{ key, trigger: 'manual', actor: 'ann' }], passed: [] },
    });
    expect((await call('GET', '/schedules/t/runs/none')).status).toBe(404);
    expect((await call('GET', '/schedules/nobody/runs')).status).toBe(404);
  });
  it('D8: pauses and resumes; what makes no sense is refused at once', async () => {
    await put('p');
    await armed('p');
    expect((await call('POST', '/schedules/p/pause', { until: '2020-01-01T00:00:00Z' })).status).toBe(422);
    expect((await call('POST', '/schedules/p/pause', { until: 'tomorrow' })).status).toBe(422);
    expect((await call('POST', '/schedules/p/pause', { reason: 'holiday' })).status).toBe(202);
    await expect.poll(async () => (await call('GET', '/schedules/p')).json['state']).toBe('paused');
    expect((await call('GET', '/schedules/p')).json['paused']).toMatchObject({ author: 'ann', note: 'holiday' });
    await call('POST', '/schedules/p/resume', {});
    await armed('p');
    const range = { from: '2026-01-02T00:00:00Z', to: '2026-01-01T00:00:00Z' };
    expect((await call('POST', '/schedules/p/backfill', range)).status).toBe(422);
    expect((await call('POST', '/schedules/p/backfill', { from: 7 })).status).toBe(422);
    await call('POST', '/schedules/p/disable', {});
    await expect.poll(async () => (await call('GET', '/schedules/p')).json['state']).toBe('disabled');
    expect((await call('POST', '/schedules/p/trigger', {})).status).toBe(409);
    expect((await call('POST', '/schedules/nobody/pause', {})).status).toBe(404);
  });
  it('a drained fleet accepts no request for a run, and the schedule says why it does not run', async () => {
    await put('drained');
    await armed('drained');
    await call('POST', '/drain', { reason: 'maintenance' });
    await expect.poll(async () => (await call('GET', '/schedules/drained')).json['state']).toBe('disabled');
    const { status, json } = await call('POST', '/schedules/drained/trigger', {});
    expect(status).toBe(409);
    expect(JSON.stringify(json)).toContain('drover drain --undo');
    const { json: shown } = await call('GET', '/schedules/drained');
    expect(JSON.stringify(shown['conditions'])).toContain('the schedule is disabled by a drain of the fleet');
    await call('DELETE', '/drain');
    await armed('drained');
    expect((await call('POST', '/schedules/drained/trigger', {})).status).toBe(202);
  });
  it('D14: preview of the fleet is exact over a change of the clock', async () => {
    await put('berlin', { schedule: '30 2 * * *', drover: { timeZone: 'Europe/Berlin' } });
    await armed('berlin');
    const { json } = await call('GET', '/schedules/berlin/preview?from=2030-03-30T00:00:00Z&to=2030-04-02T00:00:00Z');
    expect((json['times'] as readonly { slot: number }[]).map(({ slot }) => new Date(slot).toISOString())).toEqual([
      '2030-03-30T01:30:00.000Z',
      // 02:30 does not exist on this day: it runs when the clock goes on.
      '2030-03-31T01:00:00.000Z',
      '2030-04-01T00:30:00.000Z',
    ]);
    const fleet = await call('GET', '/schedules/preview?from=2030-04-01T00:00:00Z&to=2030-04-01T04:00:00Z');
    expect((fleet.json['times'] as readonly { scheduleId: string }[]).map(({ scheduleId }) => scheduleId)).toEqual(
      expect.arrayContaining(['berlin', 'a']),
    );
    expect((await call('GET', '/schedules/preview?from=yesterday')).status).toBe(422);
    expect((await call('GET', '/schedules/preview?limit=0')).status).toBe(422);
  });
  it('metrics carry those of schedules', async () => {
    const { json } = await call('GET', '/metrics');
    expect(json).toMatchObject({ schedules: { lateness: { bounds: expect.any(Array) as unknown }, schedules: {} } });
    expect(json['bots']).toBeDefined();
  });
  it('deleted, it is gone', async () => {
    await put('d');
    await armed('d');
    expect((await call('DELETE', '/schedules/d')).status).toBe(202);
    await expect.poll(async () => (await call('GET', '/schedules/d')).json['state']).toBe('deleted');
    expect((await call('DELETE', '/schedules/d')).status).toBe(404);
  });
});

describe('schedules on the command line', () => {
  const drover = async (...args: string[]): Promise<string> => {
    const lines: string[] = [];
    const program = createProgram({
      out: (text) => lines.push(text),
      isTerminal: false,
      client: () => createApiClient({ url: served.url, token: undefined, actor: 'cli:test' }),
      env: {},
      signal: new AbortController().signal,
    });
    await program.parseAsync(['node', 'drover', ...args]);
    return stripVTControlCharacters(lines.join('\n'));
  };

  it('shows, previews, triggers, pauses, enables and deletes', async () => {
    await put('cli', { schedule: '@hourly' });
    await armed('cli');
    expect(await drover('schedules')).toMatch(/cli .*armed .*@hourly/);
    expect(await drover('schedules', 'cli')).toMatch(/ScheduleHealthy\s+True AsWished/);
    expect((await drover('preview', 'cli', '--limit', '3')).split('\n')).toHaveLength(4);
    expect(await drover('trigger', 'cli')).toMatch(/cli runs as c-/);
    await expect.poll(() => drover('runs', 'cli')).toMatch(/manual .*(starting|running)/);
    expect(await drover('pause', 'cli', '--note', 'why', '--until', '2h')).toBe('cli pause requested');
    await expect.poll(() => drover('schedules', 'cli')).toMatch(/Paused: why \(by cli:test, until /);
    await drover('resume', 'cli');
    await armed('cli');
    expect(await drover('transitions', 'cli', '-o', 'pretty')).toMatch(/SchedulePaused .*actor=cli:test note=why/);
    expect(await drover('transitions', 'cli', '-o', 'pretty')).toMatch(/cli\/c-\S+\s+starting → running/);
    expect(await drover('disable', 'cli')).toBe('cli disable requested');
    await expect.poll(() => drover('schedules')).toMatch(/cli .*disabled/);
    expect(await drover('delete', 'cli')).toBe('cli delete requested');
    await expect(drover('trigger', 'nobody')).rejects.toThrow(/no schedule/);
    await expect(drover('delete', 'nobody')).rejects.toThrow(/no (bot|schedule)/);
  });
  it('reads ends of pauses as durations or instants', () => {
    expect(untilOf('90m', 0)).toBe('1970-01-01T01:30:00.000Z');
    expect(untilOf('2026-01-31T09:00:00Z', 0)).toBe('2026-01-31T09:00:00Z');
    expect(untilOf(undefined, 0)).toBeUndefined();
    expect(() => untilOf('soon', 0)).toThrow(/30m, 2h, 1d/);
  });
});
