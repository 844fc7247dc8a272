/** A TCP port in front of a server: cut it, freeze it (half-open), and let it go on. */
import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  /** `127.0.0.1:port` */
  readonly address: string;
  readonly port: number;
  /** Ends every connection and refuses new ones. */
  cut(): void;
  /** Cuts as soon as this many bytes more have gone through, both ways taken together. */
  cutAfter(bytes: number): void;
  /** Connections stay open and nothing passes: packets are lost, nobody says so. */
  freeze(): void;
  restore(): void;
  /** Share of answers that are lost together with their connection, after the server did the work. */
  loseAnswers: number;
  /** How many connections clients have made so far, those that were refused among them. */
  connections(): number;
  /** How many of them are open. */
  open(): number;
  /** Connections that were refused so far: how often somebody tried again. */
  refused(): number;
  close(): Promise<void>;
}

/**
 * `target`: `host:port`. `listen`: on which address of this host; containers reach only another than loopback. `listenPort`: a
 * free one when not given.
 * @throws Error EADDRINUSE when another program listens there
 */
export const openTcpProxy = async (target: string, listen = '127.0.0.1', listenPort = 0): Promise<TcpProxy> => {
  const [host = '127.0.0.1', port = ''] = target.split(':');
  const open = new Set<Socket>();
  const clients = new Set<Socket>();
  let mode: 'pass' | 'cut' | 'freeze' = 'pass';
  let connections = 0;
  let leftUntilCut = Infinity;
  let refused = 0;
  const endAll = (): void => {
    for (const socket of open) socket.destroy();
    open.clear();
  };
  const cut = (): void => {
    mode = 'cut';
    leftUntilCut = Infinity;
    endAll();
  };
  const proxy = { loseAnswers: 0 };
  const server = createServer((client) => {
    connections += 1;
    if (mode === 'cut') {
      refused += 1;
      client.destroy();
      return;
    }
    clients.add(client);
    client.once('close', () => clients.delete(client));
    const far = createConnection(Number(port), host);
    for (const [from, to] of [
      [client, far],
      [far, client],
    ] as const) {
      open.add(from);
      from.on('data', (chunk: Buffer) => {
        if (mode !== 'pass') return;
        if (from === far && Math.random() < proxy.loseAnswers) {
          client.destroy();
          return;
        }
        leftUntilCut -= chunk.length;
        if (leftUntilCut < 0) cut();
        else to.write(chunk);
      });
      from.on('error', () => undefined);
      from.on('close', () => {
        open.delete(from);
        // That a server has hung up is lost, too.
        if (mode === 'freeze' && from === far) return;
        // What is on its way still arrives.
        to.destroySoon();
      });
    }
  });
  server.listen(listenPort, listen);
  await once(server, 'listening');
  const listening = (server.address() as AddressInfo).port;
  return Object.assign(proxy, {
    address: `127.0.0.1:${String(listening)}`,
    port: listening,
    cut,
    cutAfter: (bytes: number) => {
      leftUntilCut = bytes;
    },
    freeze: () => {
      mode = 'freeze';
    },
    restore: () => {
      // What was lost while frozen makes the old connections worthless: a reset is what the network would send.
      if (mode === 'freeze') endAll();
      mode = 'pass';
    },
    connections: () => connections,
    refused: () => refused,
    open: () => clients.size,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        endAll();
      }),
  });
};
