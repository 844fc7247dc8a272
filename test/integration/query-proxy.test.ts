/** The way to query servers, on loopback: kept connections, servers of every kind of badness, and never another one's answer. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { buffer as bufferOf, text as textOf } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createQueryProxy } from '../../src/adapters/http/query-proxy.ts';
import { Cancellation } from '../../src/domain/cancellation.ts';
import { DroverError } from '../../src/domain/errors.ts';
import type { QueryEndpoint } from '../../src/ports/query-containers.ts';
import type { ProxyTarget } from '../../src/ports/query-proxy.ts';

const text = async (body: Buffer | NodeJS.ReadableStream): Promise<string> =>
  Buffer.isBuffer(body) ? body.toString() : textOf(body);
const buffer = async (body: Buffer | NodeJS.ReadableStream): Promise<Buffer> =>
  Buffer.isBuffer(body) ? body : bufferOf(body);

const MIB = 1024 * 1024;
const LARGE_SERVER = `
  const { once } = require('node:events');
  const server = require('node:http').createServer(async (_request, response) => {
    response.setHeader('content-length', 100 * 1024 * 1024);
    for (let n = 0; n < 100; n += 1) if (!response.write(Buffer.alloc(1024 * 1024))) await once(response, 'drain');
    response.end();
  });
  server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const listening = async (server: net.Server): Promise<number> => {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
};
const endpointAt = (port: number, change: Partial<QueryEndpoint> = {}): QueryEndpoint => ({
  via: 'address',
  host: '127.0.0.1',
  port,
  holds: () => true,
  lives: () => true,
  release: () => undefined,
  confirm: () => Promise.resolve(true),
  ...change,
});
const open = (endpoint: QueryEndpoint): ProxyTarget => {
  const target = createQueryProxy().open(endpoint);
  ends.push(() => {
    target.close();
  });
  return target;
};
const soon = (ms = 120_000): Cancellation => Cancellation.of(AbortSignal.timeout(ms));
const ask = (target: ProxyTarget, path = '/p', cancellation = soon()) => target.ask({ path, cancellation });
const codeOf = (thrown: unknown): unknown => (thrown instanceof DroverError ? thrown.code : thrown);
/** Error code of the exchange, or of its body. */
const ending = (target: ProxyTarget, path?: string): Promise<unknown> =>
  ask(target, path)
    .then(({ body }) => text(body))
    .catch(codeOf);

/** A server that takes a request and does `say`, raw. */
const rawServer = (say: (socket: net.Socket) => void): Promise<number> =>
  listening(
    net.createServer((socket) => {
      socket.once('data', () => {
        say(socket);
      });
    }),
  );

describe('a query server that behaves', () => {
  it('is asked over connections that are kept', async () => {
    let connections = 0;
    const seen: unknown[] = [];
    const server = http.createServer((request, response) => {
      void text(request).then((body) => {
        seen.push([request.method, request.url, request.headers['content-type'], body]);
        response.setHeader('content-type', 'application/json').end('{"status":"ok"}');
      });
    });
    server.on('connection', () => (connections += 1));
    const target = open(endpointAt(await listening(server)));
    for (let n = 0; n < 20; n += 1) {
      const reply = await target.ask({ path: '/a?b=c', body: '{"b":"c"}', cancellation: soon() });
      expect(reply).toMatchObject({ status: 200, contentType: 'application/json', bytes: 15 });
      expect(await text(reply.body)).toBe('{"status":"ok"}');
    }
    // One rests for a turn of the loop after its reply; a second takes its place meanwhile.
    expect(connections).toBeLessThanOrEqual(2);
    expect(seen[0]).toEqual(['POST', '/a?b=c', 'application/json', '{"b":"c"}']);
    await Promise.all(Array.from({ length: 100 }, async () => text((await ask(target)).body)));
    expect(connections).toBeLessThanOrEqual(64);
  });
  it('lets an error of its own pass', async () => {
    const server = http.createServer((_request, response) => response.writeHead(500).end('{"status":"error"}'));
    const reply = await ask(open(endpointAt(await listening(server))));
    expect(reply.status).toBe(500);
    expect(await text(reply.body)).toBe('{"status":"error"}');
  });
  it('may speak HTTP/1.0 and close after each reply', async () => {
    const port = await rawServer((socket) => socket.end('HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n{}'));
    const target = open(endpointAt(port));
    for (let n = 0; n < 5; n += 1) expect(await ending(target)).toBe('{}');
  });
  it('may close an idle connection: the next request has a new one', async () => {
    const server = http.createServer((_request, response) => response.end('x'));
    server.keepAliveTimeout = 50;
    let closed = 0;
    server.on('connection', (socket) => socket.once('close', () => (closed += 1)));
    const target = open(endpointAt(await listening(server)));
    expect(await ending(target)).toBe('x');
    await expect.poll(() => closed).toBe(1);
    for (let n = 0; n < 3; n += 1) expect(await ending(target)).toBe('x');
  });
  it('is closed when the target is, what is under way ends first', async () => {
    const asked: http.ServerResponse[] = [];
    const server = http.createServer((_request, response) => asked.push(response));
    const target = open(endpointAt(await listening(server)));
    const answer = ending(target);
    await expect.poll(() => asked).toHaveLength(1);
    target.close();
    asked[0]?.end('late');
    expect(await answer).toBe('late');
    expect(await ending(target)).toBe('QUERY_UNREACHABLE');
  });
});

describe('a query server whose container loses its address while it is asked', () => {
  const mute = (change: Partial<QueryEndpoint>) =>
    rawServer(() => undefined).then((port) => open(endpointAt(port, { holds: () => undefined, ...change })));
  /** What the engine says once a connection is made, and how often it was asked. */
  const afterFirst = (then: boolean | undefined) => {
    let asked = 0;
    return {
      asked: () => asked,
      confirm: (): Promise<boolean | undefined> => Promise.resolve((asked += 1) === 1 ? true : then),
    };
  };
  const gaveUp = new DroverError('QUERY_TIMEOUT', 'the caller gave up');

  it('R26: is given up though its query has all the time there is, and asked no more', async () => {
    const target = await mute(afterFirst(false));
    const forEver = target.ask({ path: '/', cancellation: new Cancellation() });
    await expect(forEver.catch(codeOf)).resolves.toBe('QUERY_REPLY_INVALID');
    expect(await ending(target)).toBe('QUERY_UNREACHABLE');
  });
  it('R26: is given up also when no query has the time to find out', async () => {
    const engine = afterFirst(false);
    const target = await mute(engine);
    const cancellation = new Cancellation();
    const asked = ask(target, '/', cancellation);
    await expect.poll(engine.asked).toBe(1);
    cancellation.cancel(gaveUp);
    await expect(asked).rejects.toBe(gaveUp);
    await expect.poll(engine.asked).toBe(2);
    expect(await ending(target)).toBe('QUERY_UNREACHABLE');
  });
  it('goes on where one look erred', async () => {
    let looks = 0;
    const holds = () => (looks += 1) !== 2;
    const target = await mute({ holds, confirm: () => Promise.resolve(true) });
    const cancellation = new Cancellation();
    const asked = ask(target, '/', cancellation);
    await expect.poll(() => looks).toBeGreaterThan(2);
    cancellation.cancel(gaveUp);
    await expect(asked).rejects.toBe(gaveUp);
  });
  it.each([true, undefined])('has its time while the engine says %s', async (says) => {
    const engine = afterFirst(says);
    const target = await mute(engine);
    const cancellation = new Cancellation();
    const asked = ask(target, '/', cancellation);
    await expect.poll(engine.asked).toBeGreaterThan(2);
    cancellation.cancel(gaveUp);
    await expect(asked).rejects.toBe(gaveUp);
  });
});

describe('a query server that does not', () => {
  it('is never up', async () => {
    const port = await listening(net.createServer());
    for (const end of ends.splice(0)) await end();
    expect(await ending(open(endpointAt(port)))).toBe('QUERY_UNREACHABLE');
  });
  it('is behind a relay that closes at once', async () => {
    const port = await listening(net.createServer((socket) => socket.destroy()));
    const confirm = () => sleep(20).then(() => true);
    expect(await ending(open(endpointAt(port, { holds: () => undefined, confirm })))).toBe('QUERY_UNREACHABLE');
  });
  it.each<[string, (socket: net.Socket) => void]>([
    ['speaks no HTTP', (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
    ['closes before its reply', (socket) => socket.end()],
    ['resets before its reply', (socket) => socket.resetAndDestroy()],
    ['closes half-way', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')],
    [
      'resets half-way',
      (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', () => socket.resetAndDestroy()),
    ],
    ['breaks off a chunk', (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab')],
    [
      'has headers without end',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\n${`X: ${'y'.repeat(1_000)}\r\n`.repeat(40)}`),
    ],
  ])('%s', async (_what, say) => {
    const target = open(endpointAt(await rawServer(say)));
    expect(await ending(target)).toBe('QUERY_REPLY_INVALID');
  });
  it('is slow: its caller’s patience is the only clock, before and within the reply', async () => {
    let requests = 0;
    const server = http.createServer((request, response) => {
      requests += 1;
      if (request.url === '/half') response.write('half');
    });
    const target = open(endpointAt(await listening(server)));
    const reason = new DroverError('QUERY_TIMEOUT', 'late');
    const before = new Cancellation();
    const slow = ask(target, '/slow', before);
    await expect.poll(() => requests).toBe(1);
    before.cancel(reason);
    await expect(slow).rejects.toBe(reason);
    const within = new Cancellation();
    const { body } = await ask(target, '/half', within);
    within.cancel(reason);
    await expect(text(body)).rejects.toBe(reason);
    await expect(ask(target, '/slow', Cancellation.of(AbortSignal.abort(reason)))).rejects.toBe(reason);
  });
});

describe('a reply of 100 MB', () => {
  it('that is read slowly costs no memory', { timeout: 60_000 }, async () => {
    // Elsewhere, so that only our own memory is looked at.
    const child = spawn(process.execPath, ['-e', LARGE_SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
    ends.push(() => child.kill('SIGKILL'));
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    const target = open(endpointAt(Number(said.toString())));
    const read = async (): Promise<number> => {
      const { body, bytes } = await ask(target);
      expect(bytes).toBe(100 * MIB);
      await sleep(300);
      // Not read, so not taken.
      expect((body as Readable).readableLength).toBeLessThan(MIB);
      const before = process.memoryUsage().rss;
      let most = before;
      let held = 0;
      for await (const part of body as AsyncIterable<Buffer>) {
        held += part.length;
        most = Math.max(most, process.memoryUsage().rss);
        if (held % MIB < part.length) await sleep(2);
      }
      expect(held).toBe(100 * MIB);
      return (most - before) / MIB;
    };
    // V8 lets 32 MiB of read buffers lie before it collects them, once: a process that did that before grows no more.
    expect(await read()).toBeLessThan(70);
    expect(await read()).toBeLessThan(30);
  });
  it('that nobody wants any more ends its connection', async () => {
    let closed = false;
    const server = http.createServer((_request, response) => {
      response.write(Buffer.alloc(MIB));
      response.on('close', () => (closed = true));
    });
    const { body } = await ask(open(endpointAt(await listening(server))));
    (body as Readable).destroy();
    await expect.poll(() => closed).toBe(true);
  });
});

describe('an address that is another container’s (fault R40)', () => {
  const counting = async () => {
    let asked = 0;
    const server = http.createServer((_request, response) => {
      asked += 1;
      response.end('an answer');
    });
    return { port: await listening(server), asked: () => asked };
  };
  it('before it was asked is not asked', async () => {
    const { port, asked } = await counting();
    expect(await ending(open(endpointAt(port, { holds: () => false })))).toBe('QUERY_UNREACHABLE');
    const unsure = { holds: () => undefined, confirm: () => Promise.resolve(false) };
    expect(await ending(open(endpointAt(port, unsure)))).toBe('QUERY_UNREACHABLE');
    expect(asked()).toBe(0);
  });
  it('is confirmed once a connection where only the engine knows', async () => {
    const { port } = await counting();
    let confirmed = 0;
    const confirm = () => Promise.resolve((confirmed += 1) > 0);
    const target = open(
      endpointAt(port, { via: 'published', holds: () => undefined, lives: () => undefined, confirm }),
    );
    for (let n = 0; n < 5; n += 1) expect(await ending(target)).toBe('an answer');
    expect(confirmed).toBeLessThanOrEqual(2);
  });
  it('meanwhile never answers, and what was asked is not taken for unasked', async () => {
    const { port } = await counting();
    let isOurs = true;
    const target = open(endpointAt(port, { lives: () => isOurs }));
    expect(await ending(target)).toBe('an answer');
    isOurs = false;
    expect(await ending(target)).toBe('QUERY_REPLY_INVALID');
    expect(await buffer((await ask(open(endpointAt(port)))).body)).toHaveLength(9);
  });
});
