/** A TCP port in front of a server over which a client's bytes go at a given pace. */
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

export interface SlowProxy {
  /** `127.0.0.1:port` */
  readonly address: string;
  close(): Promise<void>;
}

const TICK_MS = 50;

/** `target`: `host:port`. All connections together send `bytesPerSecond`; answers come at once. */
export const openSlowProxy = async (target: string, bytesPerSecond: number): Promise<SlowProxy> => {
  const [host = '127.0.0.1', port = ''] = target.split(':');
  const open = new Set<Socket>();
  const server = createServer({ highWaterMark: 16 * 1024 }, (client) => {
    const far = createConnection(Number(port), host);
    open.add(client).add(far);
    far.pipe(client);
    const share = Math.ceil((bytesPerSecond * TICK_MS) / 1_000);
    let owed = 0;
    client.on('data', (chunk: Buffer) => {
      far.write(chunk);
      owed += chunk.length;
      if (owed > share) client.pause();
    });
    const timer = setInterval(() => {
      owed = Math.max(0, owed - share);
      if (owed <= share) client.resume();
    }, TICK_MS);
    client.on('end', () => far.end());
    for (const socket of [client, far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(timer);
        open.delete(socket);
        client.destroy();
        far.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of open) socket.destroy();
      }),
  };
};
