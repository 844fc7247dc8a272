/** Callers of the query port that leave early, or send more than is taken (fault R2). */
import { once } from 'node:events';
import http from 'node:http';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { callerCancellation } from '../../src/api/caller-cancellation.ts';
import { CallerGone, type Cancellation } from '../../src/domain/cancellation.ts';
import { answerOf, connect, endless, openPort, type Ask } from '../support/query-port.ts';

const slow = (source: Readable): Ask => {
  return (_, cancellation) => {
    cancellation.onCancel(() => source.destroy(cancellation.reason));
    return Promise.resolve(answerOf({ body: source }));
  };
};
const ASK = '/v1/bots/b/query/x';

describe('callers that go away', () => {
  /** Asked and never answered. */
  const hanging = () => {
    const reasons: (Error | undefined)[] = [];
    const ask: Ask = (_, cancellation) =>
      new Promise((__, reject) => {
        cancellation.onCancel(() => {
          reasons.push(cancellation.reason);
          reject(cancellation.reason ?? new Error('without a reason'));
        });
      });
    return { reasons, ask };
  };

  it('all of their pipelined queries end at once, and no listeners pile up', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    const { reasons, ask } = hanging();
    const { port, asked } = await openPort(ask);
    const socket = await connect(port);
    socket.write(`GET ${ASK} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(60));
    await expect.poll(() => asked.length).toBe(60);
    socket.destroy();
    await expect.poll(() => reasons.length).toBe(60);
    expect(reasons.every((reason) => reason instanceof CallerGone)).toBe(true);
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  it('a large reply that waits for its turn on the connection is given up', async () => {
    const source = endless();
    let first = true;
    const { ask: hang } = hanging();
    const stream = slow(source);
    const { port, asked } = await openPort((query, cancellation) => {
      const ask = first ? hang : stream;
      first = false;
      return ask(query, cancellation);
    });
    const socket = await connect(port);
    socket.write(`GET ${ASK} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(2));
    await expect.poll(() => asked.length).toBe(2);
    // Its reply has begun, and waits behind the first.
    await expect.poll(() => source.readableDidRead).toBe(true);
    socket.destroy();
    await expect.poll(() => source.destroyed).toBe(true);
  });

  it('answered queries are not cancelled when a kept connection closes later', async () => {
    const seen: Cancellation[] = [];
    const { ask: hang, reasons } = hanging();
    const { port, asked } = await openPort((query, cancellation) => {
      if (seen.length === 3) return hang(query, cancellation);
      seen.push(cancellation);
      return Promise.resolve(answerOf());
    });
    const socket = await connect(port);
    for (let round = 1; round <= 3; round += 1) {
      socket.write(`GET ${ASK} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await new Promise((resolve) => socket.once('data', resolve));
    }
    // One more, that is never answered, tells when the end of the connection has been seen.
    socket.write(`GET ${ASK} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await expect.poll(() => asked).toHaveLength(4);
    socket.destroy();
    await expect.poll(() => reasons).toHaveLength(1);
    expect(seen.map(({ reason }) => reason)).toEqual([undefined, undefined, undefined]);
  });

  it('one that is gone already is cancelled at once', () => {
    const env = { incoming: { socket: { destroyed: true } }, outgoing: {} };
    expect(callerCancellation({ env } as never).reason).toBeInstanceOf(CallerGone);
  });

  it('one that leaves while its body is read asks nobody', async () => {
    const { port, asked, url } = await openPort();
    const socket = await connect(port);
    const head = 'POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n';
    socket.write(`${head}{"bot_id":`);
    // It says so when it has read the head.
    const [said] = (await once(socket, 'data')) as [Buffer];
    expect(said.toString()).toMatch(/ 100 /);
    socket.destroy();
    // The end of that connection comes before what another sends afterwards.
    for (let round = 0; round < 2; round += 1) expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(asked).toEqual([]);
  });
});

describe('bodies that are too large', () => {
  const send = (port: number, agent: http.Agent, path: string, big: 'chunked' | 'length' | undefined) =>
    new Promise<string>((resolve) => {
      const size = 40 * 65_536;
      const headers = { chunked: { 'transfer-encoding': 'chunked' }, length: { 'content-length': size } };
      const request = http.request({ port, path, method: 'POST', agent, headers: big && headers[big] }, (reply) => {
        let text = '';
        reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
        reply.on('end', () =>
          setImmediate(() => {
            resolve(`${String(reply.statusCode)} ${reply.headers.connection ?? ''} ${text.slice(0, 17)}`);
          }),
        );
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        resolve(String(error.code));
      });
      if (big !== undefined) for (let sent = 0; sent < size; sent += 65_536) request.write(Buffer.alloc(65_536, 0x20));
      request.end();
    });

  it.each([
    ['chunked', ASK],
    ['length', ASK],
    ['chunked', '/query'],
    ['length', '/query'],
  ] as const)(
    '%s to %s: 413 arrives, says that the connection ends, and the next request is served',
    async (big, path) => {
      const { port, asked } = await openPort();
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      for (let round = 0; round < 3; round += 1) {
        expect(await send(port, agent, path, big)).toBe('413 close {"status":"error"');
        expect(await send(port, agent, ASK, undefined)).toMatch(/^200/);
      }
      expect(asked).toHaveLength(3);
      agent.destroy();
    },
  );

  it('one who goes on sending is not waited for', async () => {
    const { port } = await openPort();
    const socket = await connect(port);
    socket.write(`POST ${ASK} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`);
    const timer = setInterval(() => socket.write(`8000\r\n${' '.repeat(0x8000)}\r\n`), 5);
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(timer);
    expect(text).toMatch(/^HTTP\/1.1 413/);
  });
});
