/** The query port on real connections: what callers, bots and browsers can do to it that no test of the app alone shows (fault R2). */
import { describe, expect, it, vi } from 'vitest';
import { QueryFailure } from '../../src/domain/query.ts';
import { answerOf, connect, endless, openPort } from '../support/query-port.ts';

/** All that comes for these very bytes. */
const raw = async (port: number, path: string, method = 'GET', headers = ''): Promise<string> => {
  const socket = await connect(port);
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
};
const statusOf = (text: string): number => Number(text.slice(9, 12));

const ASK = '/v1/bots/b/query/x';

describe('headers of replies', () => {
  it.each([
    ['content type', { contentType: 'application/json; x=\u20ac' }],
    ['content type', { contentType: 'a\u0001b' }],
    ['content type', { contentType: 'x'.repeat(10_000) }],
    ['state', { state: 'volume\nx' }],
  ])(
    'a %s that cannot be sent is 502, and the reply is given up without an error that ends the process',
    async (_, more) => {
      const body = endless();
      const { url } = await openPort(() => Promise.resolve(answerOf({ body, ...more })));
      const response = await fetch(url + ASK);
      expect(response.status).toBe(502);
      expect(await response.json()).toMatchObject({ code: 'QUERY_REPLY_INVALID', botState: 'running' });
      expect(body.destroyed).toBe(true);
      body.emit('error', new Error('later, with nobody there'));
    },
  );

  it('pages of bots are no pages of ours, in either form, and neither are their errors', async () => {
    const body = Buffer.from('<script>fetch("/v1/bots")</script>');
    const { url } = await openPort(({ patient, path }) => {
      if (path === '/failed') return Promise.reject(new QueryFailure('QUERY_FAILED', '<script>'));
      return Promise.resolve(patient ? answerOf() : answerOf({ body, contentType: 'text/html' }));
    });
    const post = (path: string) =>
      fetch(`${url}/query`, { method: 'POST', body: JSON.stringify({ bot_id: 'b', query_path: path }) });
    const answers = [fetch(url + ASK), post('/x'), fetch(`${url}/v1/bots/b/query/failed`), post('/failed')];
    const responses = await Promise.all(answers);
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 502, 500]);
    for (const { headers } of responses) {
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
    }
  });
});

describe('pages elsewhere', () => {
  it.each(['cross-site', 'same-site'])('what a %s page embeds or links to is no query', async (site) => {
    const { port, asked } = await openPort();
    const header = `Sec-Fetch-Site: ${site}\r\nSec-Fetch-Mode: no-cors\r\n`;
    expect(statusOf(await raw(port, ASK, 'GET', header))).toBe(403);
    expect(statusOf(await raw(port, '/query', 'POST', header))).toBe(403);
    expect(asked).toEqual([]);
    expect(statusOf(await raw(port, '/health', 'GET', header))).toBe(200);
  });

  it.each(['none', 'same-origin'])('%s is served', async (site) => {
    const { port } = await openPort();
    expect(statusOf(await raw(port, ASK, 'GET', `Sec-Fetch-Site: ${site}\r\n`))).toBe(200);
  });
});

describe('paths', () => {
  it.each([
    '/v1/bots/nobody/query/../../b/query/x',
    '/v1/bots/nobody/query/%2e%2e/%2e%2e/b/query/x',
    '/v1/bots/nobody/query/.%2E/..%2f../b/query/x',
    '/v1/bots/b/query/a/..',
    '/v1/bots/b/query/./x',
    '/v1/bots/b/query/..%2F..%2Fx',
    '/v1/bots/b/query/a%2F..',
    '/v1/bots/b/query/a%00b',
    '/v1/bots/b%00/query/x',
    '/v1/bots/b/query/%ff',
    '/v1/bots/nobody/query/..?x=1',
    '/v1/bots/nobody/query/../../../../query',
  ])('%s is 400 and asks nobody', async (path) => {
    const { port, asked } = await openPort();
    const text = await raw(port, path);
    expect(statusOf(text)).toBe(400);
    expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status: 'error', code: 'REQUEST_INVALID' });
    expect(asked).toEqual([]);
  });

  it.each([
    ['/v1/bots/b/query/a%2Fb', '/a/b', {}],
    ['/v1/bots/b/query/%252e%252e/x', '/%2e%2e/x', {}],
    ['/v1/bots/b/query/..a/.b/c..', '/..a/.b/c..', {}],
    ['/v1/bots/b/query/x?path=/../y&a=1&a=2#z', '/x', { path: '/../y', a: '1' }],
    ['/v1/bots/b/query/x?', '/x', {}],
    ['/v1/bots/b/query//x/', '//x/', {}],
    ['/v1/bots/b/query', '/', {}],
    ['/v1/bots/b/query/%C3%A4%20%3F', '/ä ?', {}],
    ['http://localhost/v1/bots/b/query/x?a=%20', '/x', { a: ' ' }],
  ])('%s asks for %s', async (target, path, params) => {
    const { port, asked } = await openPort();
    expect(statusOf(await raw(port, target))).toBe(200);
    expect(asked).toMatchObject([{ botId: 'b', path, params }]);
  });

  it('POST /query: 400 for a path with a NUL', async () => {
    const { url, asked } = await openPort();
    const response = await fetch(`${url}/query`, { method: 'POST', body: '{"bot_id":"b","query_path":"a\\u0000b"}' });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ status: 'error', duration: expect.any(Number) as number });
    expect(asked).toEqual([]);
  });
});

describe('statuses of bots', () => {
  it.each([
    [422, 422],
    [407, 502],
    [408, 502],
  ])('%i is told as %i: clients take some for their connection’s', async (botStatus, status) => {
    const { url } = await openPort(() => Promise.reject(new QueryFailure('QUERY_FAILED', 'no', { botStatus })));
    expect((await fetch(url + ASK)).status).toBe(status);
  });
});

describe('methods', () => {
  it.each(['HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    '%s is 405, asks nobody and says nothing on stderr',
    async (method) => {
      const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
      const { url, asked } = await openPort();
      const response = await fetch(url + ASK, { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST']);
      expect((await fetch(`${url}/query`, { method })).status).toBe(405);
      expect(asked).toEqual([]);
      expect(said).not.toHaveBeenCalled();
      said.mockRestore();
    },
  );
});
