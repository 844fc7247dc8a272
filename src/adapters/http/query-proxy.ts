/** The query proxy port with undici: a few kept connections for each container, always POST as the reference asks (contract §8.3). */
import { Pool } from 'undici';
import type { QueryEndpoint } from '../../ports/query-containers.ts';
import type { QueryProxy } from '../../ports/query-proxy.ts';
import { boundConnect } from './bound-connect.ts';
import { exchange } from './exchange.ts';

export interface QueryProxyOptions {
  /** Connections to one container at most; more queries wait for one. */
  readonly connections?: number;
  /** An idle connection is closed after this, ms: before servers with Node's default of 5 s do. */
  readonly keepAliveMs?: number;
}

const originOf = ({ host, port }: QueryEndpoint): string => `http://${host}:${String(port)}`;

export const createQueryProxy = ({ connections = 64, keepAliveMs = 3_000 }: QueryProxyOptions = {}): QueryProxy => ({
  open(endpoint) {
    const pool = new Pool(originOf(endpoint), {
      connections,
      pipelining: 1,
      keepAliveTimeout: keepAliveMs,
      // A server that promises more is not believed: it may end any time.
      keepAliveMaxTimeout: keepAliveMs,
      // The caller's signal is the only clock.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: boundConnect(endpoint),
    });
    return {
      endpoint,
      ask: (request) => exchange(pool, endpoint, request),
      close() {
        void pool
          .close()
          .catch(() => undefined)
          .finally(() => {
            endpoint.release();
          });
      },
    };
  },
});
