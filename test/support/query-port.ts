/** The query port on a real connection, over a handler of the test's own. */
import net from 'node:net';
import { Readable } from 'node:stream';
import { afterEach } from 'vitest';
import { createQueryApp } from '../../src/api/query-app.ts';
import { serve, type Served } from '../../src/api/serve.ts';
import type { Cancellation } from '../../src/domain/cancellation.ts';
import type { Query, QueryAnswer } from '../../src/domain/query.ts';

export type Ask = (query: Query, cancellation: Cancellation) => Promise<QueryAnswer>;

export const OK = Buffer.from('{"status":"ok","data":1}');
export const answerOf = (more: Partial<QueryAnswer> = {}): QueryAnswer => ({
  status: 200,
  contentType: 'application/json',
  body: OK,
  way: 'address',
  botState: 'running',
  ...more,
});

const open: Served[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((served) => served.close()));
});

/** Closed after the test. */
export const openPort = async (ask: Ask = () => Promise.resolve(answerOf())) => {
  const asked: Query[] = [];
  const handler: Ask = (query, cancellation) => {
    asked.push(query);
    return ask(query, cancellation);
  };
  const app = createQueryApp({
    queries: { ask: handler, metrics: () => ({}) as never },
    limits: { timeoutMs: 60_000, maxTimeoutMs: 60_000, maxBodyBytes: 64 * 1024 },
    readiness: () => Promise.resolve([]),
    token: undefined,
    open: false,
  });
  const served = await serve(app, { host: '127.0.0.1', port: 0, setting: 'HTTP_PORT' });
  open.push(served);
  return { asked, url: served.url, port: Number(new URL(served.url).port) };
};

export const connect = async (port: number): Promise<net.Socket> => {
  const socket = net.connect(port, '127.0.0.1').on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
};

/** A body without end. */
export const endless = (): Readable =>
  new Readable({
    read() {
      this.push(Buffer.alloc(65_536, 0x20));
    },
  });
