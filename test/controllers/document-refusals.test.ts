/** What a person's document is refused for, and what becomes of the same document when another program wrote it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type Served } from '../../src/api/serve.ts';
import { createApiClient } from '../../src/cli/api-client.ts';
import { createProgram } from '../../src/cli/program.ts';
import type { Condition } from '../../src/domain/running-bot.ts';
import { referenceDocument, referenceSchedule } from '../support/reference-document.ts';
import { openApp, type ServedApp } from '../support/served.ts';

let api: ServedApp;
let served: Served;
let folder: string;
beforeAll(async () => {
  api = await openApp();
  served = await serve(api.app, { host: '127.0.0.1', port: 0, setting: 'HTTP_PORT' });
  folder = await mkdtemp(join(tmpdir(), 'drover-refusals-'));
});
afterAll(async () => {
  await served.close();
  await api.close();
  await rm(folder, { recursive: true });
});

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

const drover = async (...args: string[]): Promise<string> => {
  const lines: string[] = [];
  const program = createProgram({
    out: (text) => lines.push(text),
    isTerminal: false,
    client: ({ url }) => createApiClient({ url: url ?? served.url, token: undefined, actor: 'cli:test' }),
    env: {},
    signal: new AbortController().signal,
  });
  await program.parseAsync(['node', 'drover', ...args]);
  return lines.join('\n');
};

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
