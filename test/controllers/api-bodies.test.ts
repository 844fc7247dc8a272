/** Bodies of requests over real HTTP: each has a limit, and code is streamed to its store, whole or not at all. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve, type Served } from '../../src/api/serve.ts';
import { CODE_LIMITS } from '../../src/domain/code-limits.ts';
import { openApp, type ServedApp } from '../support/served.ts';

let api: ServedApp;
let served: Served;
beforeAll(async () => {
  api = await openApp();
  served = await serve(api.app, { host: '127.0.0.1', port: 0, setting: 'HTTP_PORT' });
});
afterAll(async () => {
  await served.close();
  await api.close();
});

interface Sending {
  readonly sent: ClientRequest;
  /** Status and text of the answer. */
  readonly answer: Promise<{ readonly status: number; readonly body: string }>;
}

/** Without a content-length it is sent in chunks. */
const send = (method: string, path: string, headers: Record<string, string> = {}): Sending => {
  const sent = request(new URL(path, served.url), { method, headers });
  const answer = once(sent, 'response').then(async ([response]) => ({
    status: (response as IncomingMessage).statusCode ?? 0,
    body: await text(response as IncomingMessage),
  }));
  answer.catch(() => undefined);
  sent.on('error', () => undefined);
  return { sent, answer };
};

describe('a body', () => {
  const routes = [
    ['POST', '/v1/drain'],
    ['DELETE', '/v1/drain'],
    ['POST', '/v1/confirm-removal'],
    ['POST', '/v1/takeover/x'],
    ['POST', '/v1/bots/x/restart'],
    ['POST', '/v1/bots/x/reset'],
    ['POST', '/v1/bots/x/enable'],
    ['DELETE', '/v1/bots/x'],
    ['POST', '/v1/bots/x/state/restore'],
    ['POST', '/v1/schedules/x/trigger'],
    ['POST', '/v1/schedules/x/pause'],
    ['POST', '/v1/nothing'],
  ] as const;
  it.each(routes)('case E15: of %s %s has a limit, announced or in chunks', async (method, path) => {
    const announced = send(method, path, { 'content-length': String(1024 ** 3) });
    announced.sent.write('{');
    expect(await announced.answer).toMatchObject({ status: 413, body: expect.stringContaining('64 KiB') as string });
    announced.sent.destroy();
    const chunked = send(method, path, { 'transfer-encoding': 'chunked' });
    chunked.sent.write(Buffer.alloc(100 * 1024, ' '));
    expect(await chunked.answer).toMatchObject({ status: 413, body: expect.stringContaining('64 KiB') as string });
    chunked.sent.destroy();
  });
  it('case E15: that is small is read as before', async () => {
    const { sent, answer } = send('POST', '/v1/drain', { 'content-type': 'application/json' });
    sent.end('{"reason":"test"}');
    expect((await answer).status).toBe(202);
    const undo = send('DELETE', '/v1/drain');
    undo.sent.end();
    expect((await undo.answer).status).toBe(202);
  });
});

describe('code', () => {
  const incoming = async (): Promise<number[]> => {
    const folder = join(api.stores.archiveRoot, '.incoming');
    const names = await readdir(folder).catch((): string[] => []);
    return Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  };
  const stored = (path: string): Promise<number | undefined> => api.stores.archives.sizeOfCode(path);

  it('case E15: is on its way to the disk while it is still being sent', async () => {
    const { sent, answer } = send('PUT', '/v1/archives/u/streamed/1');
    const piece = Buffer.alloc(4 * 1024 ** 2, 'x');
    sent.write(piece);
    await expect.poll(async () => (await incoming()).some((size) => size > 1024 ** 2)).toBe(true);
    expect(await stored('u/streamed/1')).toBeUndefined();
    sent.end(piece);
    const sha256 = createHash('sha256').update(piece).update(piece).digest('hex');
    const { status, body } = await answer;
    expect([status, JSON.parse(body)]).toEqual([201, { filePath: 'u/streamed/1', bytes: 2 * piece.length, sha256 }]);
    expect(await stored('u/streamed/1')).toBe(2 * piece.length);
  });

  it('case E15: that is longer than allowed is refused, and nothing of it is stored', async () => {
    const announced = send('PUT', '/v1/archives/u/long/1', { 'content-length': String(CODE_LIMITS.archiveBytes + 1) });
    announced.sent.write('x');
    expect((await announced.answer).status).toBe(413);
    announced.sent.destroy();
    const chunked = send('PUT', '/v1/archives/u/long/2');
    const piece = Buffer.alloc(8 * 1024 ** 2);
    const seen = { over: false };
    void chunked.answer.finally(() => (seen.over = true)).catch(() => undefined);
    for (let bytes = 0; bytes <= CODE_LIMITS.archiveBytes && !seen.over; bytes += piece.length) {
      if (!chunked.sent.write(piece)) await Promise.race([once(chunked.sent, 'drain'), chunked.answer]);
    }
    expect((await chunked.answer).status).toBe(413);
    chunked.sent.destroy();
    await expect.poll(incoming).toEqual([]);
    expect([await stored('u/long/1'), await stored('u/long/2')]).toEqual([undefined, undefined]);
  }, 60_000);

  it('case E15: that is not what its digest says, or is cut off, is not stored', async () => {
    const digest = createHash('sha256').update('what was meant').digest('base64');
    const wrong = send('PUT', '/v1/archives/u/wrong/1', { 'content-digest': `sha-256=:${digest}:` });
    wrong.sent.end('what came');
    expect(await wrong.answer).toMatchObject({ status: 422, body: expect.stringContaining('digest') as string });
    const right = send('PUT', '/v1/archives/u/right/1', { 'content-digest': `md5=:x:, sha-256=:${digest}:` });
    right.sent.end('what was meant');
    expect((await right.answer).status).toBe(201);
    const cut = send('PUT', '/v1/archives/u/cut/1');
    cut.sent.write(Buffer.alloc(1024 ** 2));
    await expect.poll(async () => (await incoming()).length).toBe(1);
    cut.sent.destroy();
    await expect.poll(incoming).toEqual([]);
    expect([await stored('u/wrong/1'), await stored('u/cut/1')]).toEqual([undefined, undefined]);
  });
});
