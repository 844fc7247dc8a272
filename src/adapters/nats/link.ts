/** The connection that is there or on its way: tried for ever, server after server, and made anew each time it breaks. */
import type { NatsConnection } from 'nats';
import type { Logger } from '../../ports/logger.ts';
import { createWakeSignal } from '../common/wake-signal.ts';
import { openConnection } from './open-connection.ts';
import { nextWait, pause } from '../common/pause.ts';
import type { NatsServer } from './server-list.ts';

export interface Link {
  /** Undefined while there is none. */
  current(): NatsConnection | undefined;
  /** The one of now or the next; undefined once aborted. */
  next(signal: AbortSignal): Promise<NatsConnection | undefined>;
  /** For people; never a password. */
  describe(): string;
  close(): Promise<void>;
}

const FIRST_WAIT_MS = 100;
const MAX_WAIT_MS = 2_000;
/** A connection that held this long was a good one. */
const GOOD_MS = 2_000;
const DRAIN_MS = 1_000;
const CLOSE_MS = 250;

/** Never rejects. */
const atMost = async (ms: number, task: Promise<unknown> | undefined): Promise<void> => {
  if (task === undefined) return;
  const over = new AbortController();
  const done = task.then(
    () => undefined,
    () => undefined,
  );
  await Promise.race([done, pause(ms, over.signal)]);
  over.abort();
};

/** `AggregateError`s and bare sockets say it in their code alone. */
const reasonOf = (thrown: unknown): string => {
  if (!(thrown instanceof Error)) return 'the connection was lost';
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name;
  return thrown.message === '' ? code : thrown.message;
};

export const createLink = (servers: readonly NatsServer[], name: string, logger: Logger): Link => {
  const closing = new AbortController();
  const arrivals = createWakeSignal();
  const addresses = servers.map(({ address }) => address).join(', ');
  let connection: NatsConnection | undefined;
  let at: NatsServer | undefined;
  let away = { reason: 'connecting', since: Date.now() };
  /** The reason that was logged last, so that a server that stays away fills no log. */
  let told: string | undefined;
  // Read through a function: it changes while something is awaited.
  const hasClosed = (): boolean => closing.signal.aborted;

  const hold = async (server: NatsServer): Promise<void> => {
    const opened = await openConnection(server, name, closing.signal);
    if (hasClosed()) {
      await opened.close();
      return;
    }
    connection = opened;
    at = server;
    told = undefined;
    logger.info('connected to NATS', { server: server.address });
    arrivals.ring();
    const error = await opened.closed();
    connection = undefined;
    away = { reason: reasonOf(error ?? undefined), since: Date.now() };
    if (!hasClosed()) logger.warn('lost the connection to NATS', { server: server.address, reason: away.reason });
  };

  const run = async (): Promise<void> => {
    let wait = FIRST_WAIT_MS;
    for (let turn = 0; !hasClosed(); turn += 1) {
      const server = servers[turn % servers.length];
      if (server === undefined) return;
      const began = performance.now();
      try {
        await hold(server);
        if (performance.now() - began > GOOD_MS) wait = FIRST_WAIT_MS;
      } catch (thrown) {
        away = { ...away, reason: `${server.address}: ${reasonOf(thrown)}` };
        if (!hasClosed() && told !== away.reason) logger.warn('cannot reach NATS', { reason: away.reason });
        told = away.reason;
      }
      await pause(wait * (0.5 + Math.random()), closing.signal);
      // A list is gone through once before anybody waits longer.
      if ((turn + 1) % servers.length === 0) wait = nextWait(wait, MAX_WAIT_MS);
    }
  };
  const running = run();

  const current = (): NatsConnection | undefined => (connection?.isClosed() === false ? connection : undefined);

  return {
    current,
    next: async (signal) => {
      while (!signal.aborted && !hasClosed()) {
        const seen = arrivals.count();
        const found = current();
        if (found !== undefined) return found;
        await arrivals.wait(seen, signal);
      }
      return undefined;
    },
    describe: () => {
      if (current() !== undefined) return `nats at ${at?.address ?? addresses}`;
      const since = new Date(away.since).toISOString();
      return at === undefined
        ? `nats at ${addresses}: not connected: ${away.reason}`
        : `nats at ${addresses}: reconnecting since ${since}: ${away.reason}`;
    },
    close: async () => {
      if (!hasClosed()) {
        closing.abort();
        arrivals.ring();
        const last = current();
        await atMost(DRAIN_MS, last?.drain());
        await atMost(CLOSE_MS, last?.close());
      }
      // A connection that is just being made closes itself when it comes to be.
      await atMost(CLOSE_MS, running);
    },
  };
};
