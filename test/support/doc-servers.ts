/** MongoDB, NATS and an S3 server without any data, at the addresses that the documentation names. */
import { startOwnObjectStore } from '../../scripts/servers/minio.ts';
import { startOwnMongo } from '../../scripts/servers/mongo.ts';
import { startOwnNats } from '../../scripts/servers/nats.ts';
import { NoServer, wordOf, type TestServer } from '../../scripts/servers/test-server.ts';
import { hostAddress } from './host-address.ts';
import { openTcpProxy } from './tcp-proxy.ts';

export interface DocServers {
  /** The settings of drover for them. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface Closing {
  stop(): Promise<void>;
}

/**
 * @throws NoServer when this machine cannot have one of them, or another program listens at one of the addresses
 */
export const openDocServers = async (): Promise<DocServers> => {
  const started: Closing[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.splice(0).map((each) => each.stop()));
  };
  const take = async <S extends TestServer>(starting: Promise<S>): Promise<S> => {
    const server = await starting;
    started.push(server);
    return server;
  };
  const lead = async (listen: string, port: number, target: string): Promise<void> => {
    const proxy = await openTcpProxy(target, listen, port).catch((thrown: unknown) => {
      throw new NoServer(`${listen}:${String(port)} cannot be used (${wordOf(thrown)})`, { cause: thrown });
    });
    started.push({ stop: () => proxy.close() });
  };
  const progress = (): void => undefined;
  try {
    // Bots reach loopback of the host as little as they do elsewhere.
    const bridge = await hostAddress();
    const mongo = await take(startOwnMongo({ progress }));
    const nats = await take(startOwnNats({ progress }));
    const store = await take(startOwnObjectStore({ progress }));
    await lead('127.0.0.1', 27_017, new URL(mongo.uri).host);
    await lead('127.0.0.1', 4_222, `127.0.0.1:${String(nats.port)}`);
    await lead(bridge, 9_000, store.endpoint);
    return {
      env: {
        ...store.env,
        MONGO_URI: 'mongodb://127.0.0.1:27017/',
        NATS_URL: 'nats://127.0.0.1:4222',
        MINIO_ENDPOINT: `${bridge}:9000`,
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
};
