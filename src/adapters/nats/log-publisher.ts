/** Live log chunks to the bus: published when the server is there and keeps up, dropped when not. Never waits, never keeps. */
import type { NatsConnection } from 'nats';
import { openConnection } from './open-connection.ts';
import { parseServers } from './server-list.ts';

export interface LogPublisher {
  /** Plain text, at most {@link room} bytes. Dropped when nobody takes it now. */
  publish(payload: Buffer): void;
  /** The longest payload that the server takes. */
  room(): number;
  close(): Promise<void>;
}

const WAIT_MS = [1_000, 30_000] as const;
/** Not yet taken by the server; beyond it, chunks are dropped. */
const MOST_UNDERWAY = 4 * 1024 ** 2;
const MOST_PAYLOAD = 1024 ** 2;

/** @throws DroverError CONFIG_INVALID for a URL that is none; nothing else, whatever the server does */
export const createLogPublisher = (url: string, subject: string): LogPublisher => {
  const servers = parseServers(url);
  const ended = new AbortController();
  const isEnded = (): boolean => ended.signal.aborted;
  let connection: NatsConnection | undefined;
  let underway = 0;
  let timer: NodeJS.Timeout | undefined;

  const connect = async (attempt: number): Promise<void> => {
    const server = servers[attempt % servers.length];
    if (server === undefined || isEnded()) return;
    let next = attempt + 1;
    try {
      const opened = await openConnection(server, 'drover bot logs', ended.signal);
      if (isEnded()) {
        await opened.close();
        return;
      }
      connection = opened;
      underway = 0;
      next = 0;
      await opened.closed();
    } catch {
      // Away, or it refuses: the bot's log is in the archive all the same.
    }
    connection = undefined;
    if (isEnded()) return;
    const wait = Math.min(WAIT_MS[0] * 2 ** Math.floor(next / servers.length), WAIT_MS[1]);
    timer = setTimeout(() => void connect(next), wait).unref();
  };
  void connect(0);

  return {
    publish: (payload) => {
      const to = connection;
      if (to === undefined || underway + payload.length > MOST_UNDERWAY) return;
      try {
        to.publish(subject, payload);
        underway += payload.length;
        const taken = (): void => {
          if (to === connection) underway -= payload.length;
        };
        to.flush().then(taken, () => undefined);
      } catch {
        // It went away in this very moment.
      }
    },
    room: () => Math.min(connection?.info?.max_payload ?? MOST_PAYLOAD, MOST_PAYLOAD),
    close: async () => {
      ended.abort();
      clearTimeout(timer);
      await connection?.close().catch(() => undefined);
    },
  };
};
