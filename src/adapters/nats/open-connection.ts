/** One connection to one server. The driver's own reconnecting is off: it gives up on a refused password, and keeps what is published meanwhile. */
import { isIP } from 'node:net';
import { connect, type ConnectionOptions, type NatsConnection } from 'nats';
import { readGreeting } from './greeting.ts';
import type { NatsServer } from './server-list.ts';

const CONNECT_MS = 5_000;
/** A connection that went silent is given up after at most `PING_MS + SILENT_MS` (fault R51). */
const PING_MS = 4_000;
const SILENT_MS = 8_000;

/** The driver checks a certificate against names it has resolved itself; what it is to be called is told it here. */
const tlsFor = ({ host }: NatsServer): object => (isIP(host) === 0 ? { servername: host } : { host });

const credentialsOf = ({ user, password, token }: NatsServer): ConnectionOptions => ({
  ...(user === undefined ? {} : { user, pass: password ?? '' }),
  ...(token === undefined ? {} : { token }),
});

/** The driver's own watch waits for its socket to take what was written, which a silent server's never does. */
const closeWhenSilent = (connection: NatsConnection): void => {
  let asked: number | undefined;
  const timer = setInterval(() => {
    if (asked !== undefined) {
      if (performance.now() - asked < SILENT_MS - 100) return;
      clearInterval(timer);
      void connection.close().catch(() => undefined);
      return;
    }
    asked = performance.now();
    connection.flush().then(
      () => (asked = undefined),
      () => undefined,
    );
  }, PING_MS).unref();
  void connection.closed().finally(() => {
    clearInterval(timer);
  });
};

/** @throws Error in words for a person */
export const openConnection = async (
  server: NatsServer,
  name: string,
  signal: AbortSignal,
): Promise<NatsConnection> => {
  const { demandsTls, offersTls } = await readGreeting(server, CONNECT_MS, signal);
  if (server.tls && !offersTls) throw new Error('the server does not offer TLS');
  const connection = await connect({
    servers: [server.address],
    name,
    reconnect: false,
    ignoreClusterUpdates: true,
    resolve: false,
    timeout: CONNECT_MS,
    noAsyncTraces: true,
    tls: server.tls || demandsTls ? tlsFor(server) : null,
    ...credentialsOf(server),
  });
  closeWhenSilent(connection);
  return connection;
};
