/** One request over a pool of connections: its reply as a stream that takes no more than its reader does. */
import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { SMALL_REPLY_BYTES } from '../../domain/query.ts';
import type { QueryEndpoint } from '../../ports/query-containers.ts';
import type { ProxyReply, ProxyRequest } from '../../ports/query-proxy.ts';
import { createLetGo } from '../common/let-go.ts';
import { endedMeanwhile, toProxyError } from './proxy-errors.ts';

type Controller = Dispatcher.DispatchController;
type Headers = Readonly<Record<string, string | string[] | undefined>>;

const HIGH_WATER = 64 * 1024;

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

const lengthOf = (headers: Headers): number | undefined => {
  const text = one(headers['content-length']);
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
};

interface SmallReply extends Omit<ProxyReply, 'body'> {
  readonly chunks: Buffer[];
}

/** `ended`: called once, after the last byte or whatever came instead. @throws as the port says */
export const exchange = (
  pool: Dispatcher,
  endpoint: QueryEndpoint,
  request: ProxyRequest,
  ended: (isGivenUp: boolean) => void,
): Promise<ProxyReply> =>
  new Promise((resolve, reject) => {
    const { path, body: content, cancellation } = request;
    let controller: Controller | undefined;
    let body: Readable | undefined;
    let small: SmallReply | undefined;
    let over = false;
    let stopListening = (): void => undefined;
    const passed = createLetGo();

    const finish = (isGivenUp = false): boolean => {
      if (over) return false;
      over = true;
      ended(isGivenUp);
      stopListening();
      return true;
    };
    /** Ends the exchange with its connection: what else would come on it belongs to nobody. */
    const fail = (error: Error, isGivenUp = false): void => {
      if (!finish(isGivenUp)) return;
      if (body === undefined) reject(error);
      else body.destroy(error);
      controller?.abort(error);
    };
    const bodyFrom = (from: Controller): Readable =>
      new Readable({
        highWaterMark: HIGH_WATER,
        read() {
          from.resume();
        },
        destroy(error, done) {
          // Given up by its reader: the connection is of no more use.
          if (finish()) from.abort(error ?? new Error('the reply was cancelled'));
          done(error);
        },
      });

    const cancel = (): void => {
      const { reason } = cancellation;
      if (reason !== undefined) fail(reason, true);
    };
    if (cancellation.reason !== undefined) {
      cancel();
      return;
    }
    stopListening = cancellation.onCancel(cancel);
    pool.dispatch(
      {
        path,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: content ?? null,
      },
      {
        onRequestStart(started) {
          controller = started;
          // Given up while it waited for a connection.
          if (over) started.abort(new Error('the request was cancelled'));
        },
        onResponseStart(from, status, headers) {
          // What comes before the reply itself, e.g. 100.
          if (over || status < 200) return;
          if (endpoint.lives() === false) {
            fail(endedMeanwhile());
            return;
          }
          const bytes = lengthOf(headers);
          const contentType = one(headers['content-type']);
          if (bytes !== undefined && bytes <= SMALL_REPLY_BYTES) {
            small = { status, contentType, bytes, chunks: [] };
            return;
          }
          // It may break off before its reader looks at it, who is told then.
          body = bodyFrom(from).on('error', () => undefined);
          resolve({ status, contentType, bytes, body });
        },
        onResponseData(from, chunk) {
          if (small !== undefined) {
            small.chunks.push(chunk);
            return;
          }
          if (!over && body?.push(chunk) === false) from.pause();
          passed(chunk.length);
        },
        onResponseEnd() {
          if (!finish()) return;
          if (small === undefined) {
            body?.push(null);
            return;
          }
          const { chunks, ...reply } = small;
          resolve({ ...reply, body: chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks) });
        },
        onResponseError(_controller, error) {
          // Nothing is tried again here. A connection that its server closed while it was idle is never written to, as far as the
          // close has come to us; what was written to one that closes at that very moment may have been read, and a query may
          // do something. Servers with Node's five seconds never come to it: we close after three.
          fail(toProxyError(error, controller !== undefined));
        },
      },
    );
  });
