/** Buses, streams and consumers over NATS servers: the worker's own (test/setup/worker.ts), or one that a test starts for itself. */
import { connect, type NatsConnection } from 'nats';
import { test } from 'vitest';
import { createNatsBus } from '../../src/adapters/nats/nats-bus.ts';
import { parseServers } from '../../src/adapters/nats/server-list.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { BOT_WISHES, type BusMessage, type MessageBus, type WishConsumer } from '../../src/ports/message-bus.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { findNats } from '../../scripts/servers/find-nats.ts';
import { startOwnNats, type OwnNats, type OwnNatsOptions } from '../../scripts/servers/nats.ts';
import { removeStream, STREAM } from '../support/test-stream.ts';
import { startOr } from './started.ts';

/** The worker's server. */
export const NATS_URL = process.env['NATS_URL'] ?? '';
/** Undefined, or why there is no server; the end of the run says more. */
export const noNats = NATS_URL === '' ? 'no NATS server' : undefined;

/** Undefined, or the one line that says why no test can start a server of its own. */
export const noOwnNats = await startOr(() => findNats(() => undefined).then(() => undefined));

/** As the bus names a server. */
export const addressOf = (url: string): string => parseServers(url)[0]?.address ?? '';

const OF_BOTS = ['created', 'updated', 'deleted'].map((what) => `the0.bot.${what}`);
const OF_SCHEDULES = ['created', 'updated', 'deleted'].map((what) => `the0.bot-schedule.${what}`);

/** As the API makes it (contract §2). */
export const makeStream = async (admin: NatsConnection): Promise<void> => {
  const jetstream = await admin.jetstreamManager();
  await jetstream.streams.add({ name: STREAM, subjects: [...OF_BOTS, ...OF_SCHEDULES] });
};

/** Into the stream; resolves once it is kept. */
export const send = async (admin: NatsConnection, ...texts: readonly string[]): Promise<void> => {
  const jetstream = admin.jetstream();
  for (const text of texts) await jetstream.publish('the0.bot.updated', text);
};

export const consumerInfo = async (admin: NatsConnection, name: string) => {
  const jetstream = await admin.jetstreamManager();
  return jetstream.consumers.info(STREAM, name);
};

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export const createRecorder = (): { readonly lines: LogLine[]; readonly logger: Logger } => {
  const lines: LogLine[] = [];
  const at =
    (level: keyof Logger) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      lines.push({ level, message, fields });
    };
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
};

export interface Collector {
  readonly consumer: WishConsumer;
  /** What was offered, also what was refused. */
  readonly offered: (readonly string[])[];
  readonly taken: BusMessage[];
  texts(): readonly string[];
  /** Refuse the next batches. */
  refuse: number;
}

const textOf = ({ data }: BusMessage): string => Buffer.from(data).toString();

export const createCollector = (startsAtNow = false, reads = BOT_WISHES): Collector => {
  const collector: Collector = {
    offered: [],
    taken: [],
    refuse: 0,
    texts: () => collector.taken.map(textOf),
    consumer: {
      reads,
      startsAtNow: () => Promise.resolve(startsAtNow),
      onMessages: (messages) => {
        collector.offered.push(messages.map(textOf));
        if (collector.refuse > 0) {
          collector.refuse -= 1;
          return Promise.reject(new Error('the store is away'));
        }
        collector.taken.push(...messages);
        return Promise.resolve();
      },
    },
  };
  return collector;
};

/** Looks for a stream fifty times as often as it would. */
const hasty: Pick<Clock, 'after'> = { after: (ms, callback) => systemClock.after(ms / 50, callback) };

export interface TestBus {
  readonly bus: MessageBus;
  readonly lines: readonly LogLine[];
}

export interface BusOptions {
  readonly install?: string;
  readonly clock?: Pick<Clock, 'after'>;
}

export interface Consuming {
  stop(): Promise<void>;
}

type Undo = () => Promise<unknown>;

/** What a test opens; all of it is closed after the test, the newest first. */
export interface NatsTools {
  later(undo: Undo): void;
  /** A server of the test's own: it may be stopped, and configured. */
  start(options?: Omit<OwnNatsOptions, 'progress'>): Promise<OwnNats>;
  /** Behind our back: what the API of the platform does. */
  admin(url: string): Promise<NatsConnection>;
  bus(url: string, options?: BusOptions): TestBus;
  consume(bus: MessageBus, collector: Collector): Consuming;
}

const createTools = (later: (undo: Undo) => void): NatsTools => ({
  later,
  start: async (options = {}) => {
    const server = await startOwnNats({ progress: () => undefined, ...options });
    later(server.stop);
    return server;
  },
  admin: async (url) => {
    const connection = await connect({ servers: url, reconnect: false });
    later(() => connection.close());
    return connection;
  },
  bus: (url, { install = 'i1', clock = hasty } = {}) => {
    const { lines, logger } = createRecorder();
    const bus = createNatsBus({ url, install, logger, clock });
    later(() => bus.close());
    return { bus, lines };
  },
  consume: (bus, { consumer }) => {
    const over = new AbortController();
    const done = bus.consume(consumer, over.signal);
    const stop = (): Promise<void> => {
      over.abort();
      return done;
    };
    later(stop);
    return { stop };
  },
});

/** @throws Error when the server has our stream already: it is none of ours, or a test before this one left it */
const assertNoStream = async (admin: NatsConnection): Promise<void> => {
  const { streams } = await admin.jetstreamManager();
  for await (const { config } of streams.list()) {
    if (config.name === STREAM) throw new Error(`the server already has a stream ${STREAM}: it is not made for tests`);
  }
};

export const natsTest = test
  .extend('nats', async ({}, { onCleanup }) => {
    const undos: Undo[] = [];
    onCleanup(async () => {
      for (const undo of undos.splice(0).reverse()) await undo();
    });
    return Promise.resolve(createTools((undo) => undos.push(undo)));
  })
  /** On the worker's server, which has no stream of ours. */
  .extend('admin', async ({ nats }) => {
    const admin = await nats.admin(NATS_URL);
    await assertNoStream(admin);
    nats.later(() => removeStream(admin));
    return admin;
  })
  /** The same; the stream is there. */
  .extend('stream', async ({ admin }) => {
    await makeStream(admin);
    return admin;
  })
  /** One server for the file, which keeps no streams. */
  .extend('plain', { scope: 'file' }, async ({}, { onCleanup }) => {
    const server = await startOwnNats({ progress: () => undefined, jetstream: false });
    onCleanup(server.stop);
    return server;
  });

/** Counts how often anybody has looked for the stream. */
export const countLooks = async (admin: NatsConnection): Promise<() => number> => {
  let looks = 0;
  admin.subscribe(`$JS.API.STREAM.INFO.${STREAM}`, { callback: () => (looks += 1) });
  await admin.flush();
  return () => looks;
};
