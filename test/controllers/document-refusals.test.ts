/** What a person's document is refused for, and what becomes of the same document when another program wrote it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Condition } from '../../src/domain/running-bot.ts';
import { referenceDocument, referenceSchedule } from '../support/reference-document.ts';
import type { ServedApp } from '../support/served.ts';
import { openCli, type ServedCli } from '../support/served-cli.ts';

let cli: ServedCli;
let api: ServedApp;
let folder: string;
beforeAll(async () => {
  cli = await openCli();
  ({ api, folder } = cli);
});
afterAll(() => cli.close());

type Shown = { readonly state: string; readonly enabled: boolean | null; readonly conditions: readonly Condition[] };
const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> => {
  const response = await api.app.request(`http://127.0.0.1/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
};
const shown = async (path: string): Promise<Shown> => (await call('GET', path)).json as Shown;
const asked = { requestId: 'r', actor: 'other program', action: 'write', at: 1 };
const pointers = (json: unknown): readonly string[] =>
  (json as { error: { pointers: { pointer: string }[] } }).error.pointers.map(({ pointer }) => pointer);

const drover = (...args: string[]): Promise<string> => cli.drover(...args);

describe('case A3: `enabled` that is no boolean', () => {
  it.each(['no', 'off', 'maybe', 'yes'])(
    '%s is refused by the API and by `drover apply`, and nothing is stored',
    async (word) => {
      const answer = await call('PUT', '/bots/refused', referenceDocument('refused', { root: { enabled: word } }));
      expect([answer.status, pointers(answer.json)]).toEqual([422, ['/enabled']]);
      const inConfig = referenceSchedule('refused', { schedule: '@daily', config: { enabled: word } });
      const ofSchedule = await call('PUT', '/schedules/refused', inConfig);
      expect([ofSchedule.status, pointers(ofSchedule.json)]).toEqual([422, ['/config/enabled']]);
      const file = join(folder, 'bot.yaml');
      const document = JSON.stringify(referenceDocument('refused')).replace(/\}$/, `, "enabled": ${word}}`);
      await writeFile(file, document);
      await expect(drover('apply', file)).rejects.toThrow('/enabled: must be true or false');
      expect(await api.stores.specs.read('refused')).toBeUndefined();
    },
  );
  it('is off when another program wrote a no, and says so', async () => {
    await api.stores.specs.put('off', referenceDocument('off', { root: { enabled: 'off' } }), asked);
    const message = '/enabled must be true or false';
    await expect
      .poll(() => shown('/bots/off'))
      .toMatchObject({
        state: 'stopped',
        enabled: false,
        conditions: expect.arrayContaining([expect.objectContaining({ type: 'SpecClear', message })]) as unknown,
      });
  });
});

describe('case A6: a cron text that means something else', () => {
  const put = (id: string, schedule: string, drover: object = {}) =>
    call('PUT', `/schedules/${id}`, referenceSchedule(id, { schedule, drover }));
  const STEP =
    'minute field: the step of "*/90" is larger than its range, so it means minute 0 alone; write `0`, or `@every 90m`';
  it('by its step is refused with what it means and what to write; another program’s counts, and it is told', async () => {
    const answer = await put('step', '*/90 * * * *');
    expect(answer).toMatchObject({
      status: 422,
      json: { error: { pointers: [{ pointer: '/config/schedule', message: STEP }] } },
    });
    await api.stores.schedules.put('step', referenceSchedule('step', { schedule: '*/90 * * * *' }), asked);
    await expect.poll(async () => (await shown('/schedules/step')).state).toBe('armed');
    expect((await shown('/schedules/step')).conditions).toContainEqual(
      expect.objectContaining({ type: 'SpecClear', message: `/config/schedule ${STEP}` }),
    );
  });
  it('by parts of a second is told when it is applied', async () => {
    const notice =
      '`@every 500ms` runs every 1 s: parts of a second are cut off, and one second is the shortest interval';
    expect((await put('halves', '@every 500ms')).json).toMatchObject({ notices: [notice] });
    expect((await put('whole', '@every 2s')).json).toMatchObject({ notices: [] });
    const file = join(folder, 'every.json');
    await writeFile(file, JSON.stringify(referenceSchedule('said', { schedule: '@every 1500ms' })));
    expect(await drover('apply', file)).toContain('`@every 1500ms` runs every 1 s');
  });
  it('on a leap day is previewed by its next date', async () => {
    await put('leap', '0 0 29 2 *');
    expect((await drover('preview', 'leap', '--limit', '2')).split('\n')[0]).toMatch(
      /^20\d\d-02-29T00:00:00Z {2}leap$/,
    );
    const { json } = await call('GET', '/schedules/leap/preview?from=2096-03-01T00:00:00Z');
    expect((json as { times: { slot: number }[] }).times[0]).toMatchObject({ slot: Date.UTC(2104, 1, 29) });
    expect(await drover('preview', 'leap', '--to', '2026-01-01T00:00:00Z', '--from', '2025-01-01T00:00:00Z')).toBe(
      'no run is due in this time',
    );
  });
  it.each([
    ['config', { zone: 'America/New York' }, '; did you mean `America/New_York`?'],
    ['config', { zone: 'Mars/Base' }, ''],
  ])('in a zone that is none points at the zone in %s, not at the text: %j', async (_where, { zone }, hint) => {
    const message = `"${zone}" is not an IANA time zone such as Europe/Berlin${hint}`;
    expect(await put('zoned', '0 9 * * *', { timeZone: zone })).toMatchObject({
      status: 422,
      json: { error: { code: 'SCHEDULE_INVALID', pointers: [{ pointer: '/config/drover/timeZone', message }] } },
    });
  });
  it('for a backfill of too many slots is refused at once, with their number', async () => {
    await put('many', '* * * * *', { jitterSeconds: 30 });
    const backfill = (to: string) =>
      call('POST', '/schedules/many/backfill', { from: '2026-01-01T00:00:00Z', to: `2026-01-0${to}:00Z` });
    expect(await backfill('2T00:00')).toMatchObject({
      status: 422,
      json: { error: { message: 'the range from `from` to `to` has 1,441 slots, and a backfill runs at most 500' } },
    });
    expect((await backfill('9T00:00')).json).toMatchObject({
      error: { message: expect.stringContaining('has more than 10,000 slots') as unknown },
    });
    expect((await api.stores.schedules.read('many'))?.requests).toEqual([]);
    expect((await backfill('1T08:19')).status).toBe(202);
  });
});

describe('case A4: a key that is nearly ours', () => {
  const slip = { root: { memory_mb: 64 } };
  it('is refused by the API, with its place and the name that was meant', async () => {
    const answer = await call('PUT', '/bots/slip', referenceDocument('slip', slip));
    expect(answer).toMatchObject({
      status: 422,
      json: {
        error: {
          code: 'DOCUMENT_INVALID',
          pointers: [{ pointer: '/memory_mb', message: 'is not known here; did you mean `drover.memoryMb`?' }],
        },
      },
    });
    expect(await api.stores.specs.read('slip')).toBeUndefined();
  });
  it('written by another program is told by a condition, and the bot runs', async () => {
    await api.stores.specs.put('slipped', referenceDocument('slipped', slip), asked);
    await expect.poll(async () => (await shown('/bots/slipped')).state).toBe('running');
    const { conditions } = await shown('/bots/slipped');
    expect(conditions.find(({ type }) => type === 'SpecClear')).toMatchObject({
      status: 'False',
      reason: 'DocumentUnclear',
      message: '/memory_mb is not known here; did you mean `drover.memoryMb`?',
    });
    expect(await drover('get')).toContain('DocumentUnclear');
    await api.stores.specs.put('slipped', referenceDocument('slipped'), asked);
    await expect
      .poll(async () => (await shown('/bots/slipped')).conditions.map(({ type }) => type))
      .not.toContain('SpecClear');
  });
  it('below `drover` is refused from everywhere', async () => {
    const document = referenceSchedule('zone', { schedule: '@daily', drover: { timezone: 'America/New_York' } });
    const answer = await call('PUT', '/schedules/zone', document);
    expect([answer.status, pointers(answer.json)]).toEqual([422, ['/config/drover/timezone']]);
    await api.stores.schedules.put('zone', document, asked);
    await expect
      .poll(async () => (await shown('/schedules/zone')).conditions)
      .toContainEqual(
        expect.objectContaining({
          type: 'SpecValid',
          status: 'False',
          message: '/config/drover/timezone: is not known; did you mean `timeZone`?',
        }),
      );
    expect((await shown('/schedules/zone')).state).toBe('disabled');
  });
  it('in a command of a schedule is refused with the name that was meant', async () => {
    await api.stores.schedules.put('asked', referenceSchedule('asked', { schedule: '@daily' }), asked);
    expect(await call('POST', '/schedules/asked/pause', { unitl: '2030-01-01T00:00:00Z' })).toMatchObject({
      status: 422,
      json: { error: { message: '/unitl: is not known; did you mean `until`?' } },
    });
  });
});
