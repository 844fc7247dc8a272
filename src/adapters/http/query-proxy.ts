/** The query proxy port with undici: a few kept connections for each container, always POST as the reference asks (contract §8.3). */
import { Pool } from 'undici';
import type { QueryEndpoint } from '../../ports/query-containers.ts';
import type { QueryProxy } from '../../ports/query-proxy.ts';
import { boundConnect } from './bound-connect.ts';
import { exchange } from './exchange.ts';
import { createFlightWatch } from './flight-watch.ts';
import { notItsOwn } from './proxy-errors.ts';

export interface QueryProxyOptions {
  /** Connections to one container at most; more queries wait for one. */
  readonly connections?: number;
  /** An idle connection is closed after this, ms: before servers with Node's default of 5 s do. */
  readonly keepAliveMs?: number;
}

/** So long an address is taken for granted between two looks, ms. */
const HELD_FOR_MS = 200;

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
    let heldAt = performance.now();
    let isLost = false;
    const watch = createFlightWatch({
      endpoint,
      onLost: () => {
        isLost = true;
        void pool.destroy(new Error('the container lost its address')).catch(() => undefined);
      },
    });
    /** A kept connection into a network that was taken away would say nothing until the query's time is over (fault R26). */
    const stillHolds = (): boolean => {
      if (isLost) return false;
      const now = performance.now();
      if (now - heldAt < HELD_FOR_MS) return true;
      heldAt = now;
      return endpoint.holds() !== false;
    };
    return {
      endpoint,
      ask: (request) =>
        stillHolds()
          ? exchange(pool, endpoint, request, watch.begin())
          : Promise.reject(notItsOwn('before the query was sent')),
      close() {
        void pool
          .close()
          .catch(() => undefined)
          .finally(() => {
            watch.close();
            endpoint.release();
          });
      },
    };
  },
});
