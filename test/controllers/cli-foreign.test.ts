/** What the command line says when something else than a drover answers at the address it was given. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../src/cli/api-client.ts';
import { DroverError } from '../../src/domain/errors.ts';

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.close();
    (server as Server & { closeAllConnections?: () => void }).closeAllConnections?.();
  }
});

const listen = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return (server.address() as AddressInfo).port;
};
const http = (listener: RequestListener): Promise<number> => listen(createHttp(listener));

const refusalAt = async (url: string): Promise<{ code: string; message: string }> => {
  const client = createApiClient({ url, token: 'secret-token', actor: 'cli:test' });
  try {
    await client.call('GET', '/v1/bots');
  } catch (thrown) {
    if (thrown instanceof DroverError) return { code: thrown.code, message: thrown.message };
  }
  throw new Error('it was no refusal');
};
const at = (port: number, scheme = 'http'): string => `${scheme}://127.0.0.1:${String(port)}`;

/** Without openssl there is nothing to speak TLS with. */
const certificate = (): { key: Buffer; cert: Buffer } | undefined => {
  const folder = mkdtempSync(join(tmpdir(), 'drover-foreign-'));
  try {
    const words = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x';
    execFileSync('openssl', [...words.split(' '), '-keyout', 'key', '-out', 'cert'], { cwd: folder, stdio: 'ignore' });
    return { key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'cert')) };
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
};

describe.concurrent('what answers', () => {
  it.each([
    ['a page', 200, { 'content-type': 'text/html' }, /is no drover: it answered with HTTP 200 and text\/html$/],
    ['JSON', 200, { 'content-type': 'application/json' }, /HTTP 200 and application\/json$/],
    ['that there is nothing', 404, { 'content-type': 'text/plain' }, /HTTP 404 and text\/plain$/],
    ['with an error of its own', 500, {}, /HTTP 500$/],
    ['with nothing', 204, {}, /HTTP 204$/],
  ])('case D7: %s is no drover, and that is said', async (_what, status, headers, message) => {
    const port = await http((_request, response) => {
      response.writeHead(status, headers).end(status === 204 ? undefined : '[]');
    });
    const refusal = await refusalAt(at(port));
    expect(refusal).toEqual({ code: 'NOT_DROVER', message: expect.stringMatching(message) as string });
    expect(refusal.message).toContain(`what answers at ${at(port)} is no drover`);
  });

  it('case D7: a redirect is told and not followed, so that nobody else gets the token', async () => {
    let tokens = 0;
    const elsewhere = await http((request, response) => {
      if (request.headers.authorization !== undefined) tokens += 1;
      response.end('{}');
    });
    const port = await http((_request, response) => {
      response.writeHead(302, { location: `${at(elsewhere)}/x` }).end();
    });
    expect(await refusalAt(at(port))).toEqual({
      code: 'NOT_DROVER',
      message: `what answers at ${at(port)} is no drover: it redirects to ${at(elsewhere)}/x`,
    });
    expect(tokens).toBe(0);
  });

  it('case D7: what does not speak HTTP, or hangs up', async () => {
    const talks = await listen(
      createTcp((socket) => void socket.on('error', () => undefined).end('220 mail ready\r\n')),
    );
    expect(await refusalAt(at(talks))).toMatchObject({
      code: 'NOT_DROVER',
      message: expect.stringContaining('it does not speak HTTP') as string,
    });
    const hangsUp = await listen(createTcp((socket) => void socket.on('data', () => socket.destroy())));
    expect(await refusalAt(at(hangsUp))).toMatchObject({
      code: 'NOT_DROVER',
      message: expect.stringContaining('closed the connection without an answer') as string,
    });
  });

  it('case D7: nothing at all, a name that is none, an address that is none', async () => {
    const server = createTcp();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await refusalAt(at(port))).toEqual({
      code: 'API_UNREACHABLE',
      message: `nothing answers at ${at(port)}`,
    });
    expect(await refusalAt('http://nobody.invalid')).toMatchObject({ code: 'API_UNREACHABLE' });
    await expect(Promise.resolve().then(() => refusalAt('nonsense:80'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });

  it('case D7: TLS where plain HTTP was asked, and the other way round', async (context) => {
    const files = certificate();
    if (files === undefined) return context.skip('no openssl here');
    const secure = await listen(createHttps(files, (_request, response) => response.end('{}')));
    expect(await refusalAt(at(secure))).toMatchObject({
      code: 'NOT_DROVER',
      message: expect.stringContaining('https://') as string,
    });
    expect(await refusalAt(at(secure, 'https'))).toMatchObject({
      code: 'API_UNREACHABLE',
      message: expect.stringMatching(/certificate is not trusted .*NODE_EXTRA_CA_CERTS/) as string,
    });
    const plain = await http((_request, response) => response.end('{}'));
    expect(await refusalAt(at(plain, 'https'))).toMatchObject({
      code: 'NOT_DROVER',
      message: expect.stringContaining(`it does not speak TLS; write ${at(plain)}`) as string,
    });
  });

  it('case D7: one that never answers is given up, and the reason is said', async () => {
    const port = await http(() => undefined);
    expect(await refusalAt(at(port))).toEqual({
      code: 'API_UNREACHABLE',
      message: `drover cannot be reached at ${at(port)}: it accepts connections and does not answer`,
    });
  }, 30_000);

  it('case D7: a drover that takes its time is waited for', async () => {
    const port = await http((request, response) => {
      response.setHeader('x-drover', '1');
      if (request.url === '/healthz') response.end('ok');
      else setTimeout(() => response.end('[1]'), 6_000);
    });
    const client = createApiClient({ url: at(port), token: undefined, actor: 'cli:test' });
    expect(await client.call('GET', '/v1/bots')).toEqual([1]);
  }, 30_000);
});
