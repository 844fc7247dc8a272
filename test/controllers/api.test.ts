import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aDocument, openApp, type ServedApp } from '../support/served.ts';
import { cases } from '../support/full.ts';

let api: ServedApp;
beforeAll(async () => {
  api = await openApp();
});
afterAll(() => api.close());

const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  api.app.request(`http://127.0.0.1${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
const json = async (response: Response | Promise<Response>): Promise<Record<string, never>> =>
  (await (await response).json()) as Record<string, never>;
const state = async (id: string): Promise<unknown> => (await json(call('GET', `/v1/bots/${id}`)))['state'];

describe('bots', () => {
  it('are put, shown, listed and deleted', async () => {
    expect((await call('PUT', '/v1/bots/a', aDocument('a'))).status).toBe(201);
    await expect.poll(() => state('a')).toBe('running');
    const listed = (await (await call('GET', '/v1/bots')).json()) as { botId: string; status: string }[];
    expect(listed).toMatchObject([{ botId: 'a', status: 'running', enabled: true, runtime: 'nodejs20' }]);
    expect((await call('DELETE', '/v1/bots/a')).status).toBe(202);
    await expect.poll(() => state('a')).toBe('deleted');
    expect((await call('DELETE', '/v1/bots/a')).status).toBe(404);
  });
  it('put again unchanged change nothing (feature A2)', async () => {
    await call('PUT', '/v1/bots/same', aDocument('same'));
    const again = await call('PUT', '/v1/bots/same', aDocument('same'));
    expect([again.status, (await json(again))['changed']]).toEqual([200, false]);
  });
  it('are enabled, disabled, restarted and reset, and the log says who asked and why', async () => {
    await call('PUT', '/v1/bots/acted', aDocument('acted'));
    await expect.poll(() => state('acted')).toBe('running');
    expect((await call('POST', '/v1/bots/acted/disable', {})).status).toBe(202);
    await expect.poll(() => state('acted')).toBe('stopped');
    await call('POST', '/v1/bots/acted/enable', {});
    await expect.poll(() => state('acted')).toBe('running');
    const restart = await call('POST', '/v1/bots/acted/restart', { reason: 'stale feed' }, { 'x-drover-actor': 'ann' });
    expect(restart.status).toBe(202);
    const attempt = async (): Promise<unknown> => (await json(call('GET', '/v1/bots/acted')))['attempt'];
    await expect.poll(attempt).toBe(3);
    const log = await (await call('GET', '/v1/transitions?bot=acted')).text();
    expect(log).toContain('"reason":"stale feed"');
    expect(log).toContain('"actor":"ann"');
    expect((await call('POST', '/v1/bots/acted/reset', {})).status).toBe(202);
    expect((await call('POST', '/v1/bots/nobody/reset', {})).status).toBe(404);
  });
  it('show their configuration masked unless it is asked for', async () => {
    await call('PUT', '/v1/bots/rich', aDocument('rich', { apiSecret: 'canary-42' }));
    expect(await (await call('GET', '/v1/bots/rich')).text()).not.toContain('canary-42');
    expect(await (await call('GET', '/v1/bots')).text()).not.toContain('canary-42');
    expect(await (await call('GET', '/v1/bots/rich?secrets=true')).text()).toContain('canary-42');
    expect(await (await call('GET', '/v1/transitions')).text()).not.toContain('canary-42');
  });
});

describe('what must not be lost', () => {
  it('secrets, when a masked document is put back', async () => {
    await call('PUT', '/v1/bots/kept', aDocument('kept', { apiSecret: 'canary-9' }));
    const { document } = (await json(call('GET', '/v1/bots/kept'))) as unknown as { document: unknown };
    expect((await call('PUT', '/v1/bots/kept', document)).status).toBe(422);
    expect(await (await call('GET', '/v1/bots/kept?secrets=true')).text()).toContain('canary-9');
  });
  it('a document put while the bot is being disabled', async () => {
    await call('PUT', '/v1/bots/raced', aDocument('raced'));
    for (let round = 0; round < 20; round += 1) {
      const wished = aDocument('raced', { round });
      await Promise.all([
        call('POST', '/v1/bots/raced/disable', {}),
        call('PUT', '/v1/bots/raced', wished),
        call('POST', '/v1/bots/raced/enable', {}),
      ]);
      const { document } = (await json(call('GET', '/v1/bots/raced?secrets=true'))) as unknown as {
        document: { config: unknown };
      };
      expect(document.config).toMatchObject({ round });
    }
  });
});

describe('what is refused', () => {
  it('names a code, the place and what to do', async () => {
    const bad = { ...aDocument('bad'), custom: { version: '1', filePath: 'x', config: { runtime: 'cobol' } } };
    const response = await call('PUT', '/v1/bots/bad', bad);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      error: {
        code: 'DOCUMENT_INVALID',
        remedy: expect.any(String) as string,
        pointers: expect.arrayContaining([expect.objectContaining({ pointer: '/custom/config/runtime' })]) as unknown,
      },
    });
  });
  it.each<[string, string, unknown, number]>([
    ['PUT', '/v1/bots/x', '{"a":', 400],
    ['PUT', '/v1/bots/x', '[]', 422],
    ['PUT', '/v1/bots/x', aDocument('y'), 422],
    ['PUT', '/v1/bots/..%2F..%2Fetc', aDocument('../../etc'), 422],
    ['PUT', '/v1/bots/x', `{"a":"${'x'.repeat(3 * 1024 * 1024)}"}`, 413],
    ['GET', '/v1/bots/nobody', undefined, 404],
    ['PATCH', '/v1/bots/x', {}, 405],
    ['POST', '/v1/bots', {}, 405],
    ['GET', '/v1/nothing', undefined, 404],
    ['GET', '/v1/transitions?after=-1', undefined, 422],
    ['PUT', '/v1/archives/..%2F..%2Fx', 'zip', 422],
    ['PUT', '/v1/archives/a//b', 'zip', 422],
  ])('%s %s is %i', async (method, path, body, status) => {
    const response = await call(method, path, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: expect.any(String) as string } });
  });
  it('other origins and names that merely resolve here', async () => {
    expect((await call('GET', '/v1/bots', undefined, { origin: 'http://evil.example' })).status).toBe(403);
    const rebound = await api.app.request('http://evil.example/v1/bots', { headers: { host: 'evil.example' } });
    expect(rebound.status).toBe(403);
  });
  it('whatever is sent never makes a 5xx (fault R2)', async () => {
    const path = fc.oneof(
      fc.constantFrom(
        '/v1/bots',
        '/v1/bots/a',
        '/v1/bots/a/restart',
        '/v1/drain',
        '/v1/guard',
        '/v1/archives/x',
        '/v1/transitions',
      ),
      fc.string({ maxLength: 30 }).map((text) => `/v1/bots/${encodeURIComponent(text)}`),
      fc.string({ maxLength: 20 }).map((text) => `/v1/${text.replaceAll(/[\s\\#]/g, '_')}`),
      fc.constant('/v1/bots/%E0%A4%A'),
    );
    await fc.assert(
      fc.asyncProperty(
        path,
        fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'),
        fc.oneof(
          fc.jsonValue().map((value) => JSON.stringify(value)),
          fc.string(),
        ),
        async (where, method, body) => {
          let url: string;
          try {
            url = new URL(`http://127.0.0.1${where}`).href;
          } catch {
            return;
          }
          const response = await api.app.request(url, {
            method,
            ...(method === 'GET' ? {} : { body, headers: { 'content-type': 'application/json' } }),
          });
          expect(response.status, `${method} ${url} ${body}`).toBeLessThan(500);
        },
      ),
      { numRuns: cases(50, 300) },
    );
    expect((await call('DELETE', '/v1/drain')).status).toBe(202);
  });
});

describe('health and fleet', () => {
  it('answers to those who watch it', async () => {
    expect(await (await call('GET', '/healthz')).text()).toBe('ok');
    expect(await (await call('GET', '/readyz')).text()).toBe('ok');
    expect(await (await call('GET', '/readyz?verbose')).json()).toMatchObject({ ready: true });
    expect(await (await call('GET', '/v1/metrics')).json()).toMatchObject({
      bots: { running: expect.any(Number) as number },
    });
    expect(await (await call('GET', '/v1/guard')).json()).toEqual({ suspicion: null });
  });
  it('drains, and undoes it', async () => {
    await call('PUT', '/v1/bots/drained', aDocument('drained'));
    await expect.poll(() => state('drained')).toBe('running');
    await call('POST', '/v1/drain', { reason: 'maintenance' });
    await expect.poll(() => state('drained')).toBe('stopped');
    await call('DELETE', '/v1/drain');
    await expect.poll(() => state('drained')).toBe('running');
  });
  it('serves bearers of the token only, health excepted', async () => {
    const guarded = await openApp('a-long-token');
    const ask = (headers: Record<string, string>) => guarded.app.request('http://any.example/v1/bots', { headers });
    try {
      expect((await ask({})).status).toBe(401);
      expect((await ask({ authorization: 'Bearer wrong' })).status).toBe(401);
      expect((await ask({ authorization: 'Bearer a-long-token' })).status).toBe(200);
      expect((await guarded.app.request('http://any.example/healthz')).status).toBe(200);
    } finally {
      await guarded.close();
    }
  });
});
