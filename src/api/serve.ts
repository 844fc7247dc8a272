/** Listens. */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import { serve as serveNode } from '@hono/node-server';
import type { Hono } from 'hono';
import { DROVER_HEADER } from '../domain/drover-header.ts';
import { DroverError } from '../domain/errors.ts';
import { isPlainTarget, refuseTarget } from './plain-target.ts';

export interface Served {
  readonly url: string;
  /** Ends open streams too, after `withinMs` (none when left out) for what is being answered. */
  close(withinMs?: number): Promise<void>;
}

/**
 * `setting`: the name of the one that the port comes from.
 * @throws DroverError CONFIG_INVALID when the address cannot be listened on
 */
export const serve = (
  app: Pick<Hono, 'fetch'>,
  options: { readonly host: string; readonly port: number; readonly setting: string },
): Promise<Served> =>
  new Promise((resolve, reject) => {
    const server = serveNode({
      fetch: (request, env) => {
        const { url = '' } = env.incoming;
        // Callers see by it that what answers is a drover, whatever it answers.
        env.outgoing.setHeader(DROVER_HEADER, '1');
        return isPlainTarget(url) ? app.fetch(request, env) : refuseTarget(url);
      },
      hostname: options.host,
      port: options.port,
    }) as Server;
    server.once('error', (error) => {
      const { host, port, setting } = options;
      const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      const why = taken ? 'another program listens there' : error.message;
      const message = `${setting}: cannot listen on ${host}:${String(port)}: ${why}`;
      reject(new DroverError('CONFIG_INVALID', message, { cause: error }));
    });
    server.once('listening', () => {
      const { port } = server.address() as AddressInfo;
      const host = options.host.includes(':') ? `[${options.host}]` : options.host;
      resolve({
        url: `http://${host}:${String(port)}`,
        close: (withinMs = 0) =>
          new Promise((done) => {
            server.close(() => {
              done();
            });
            server.closeIdleConnections();
            const end = (): void => {
              server.closeAllConnections();
            };
            if (withinMs === 0) end();
            else setTimeout(end, withinMs).unref();
          }),
      });
    });
  });
