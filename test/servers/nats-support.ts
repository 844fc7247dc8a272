/** Buses, streams and consumers over the NATS servers of these tests. Never a server of somebody else: streams are removed here. */
import { connect, type NatsConnection } from 'nats';
import { afterAll, afterEach } from 'vitest';
import { createNatsBus } from '../../src/adapters/nats/nats-bus.ts';
import { BOT_WISHES, type BusMessage, type MessageBus, type WishConsumer } from '../../src/ports/message-bus.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { startOwnNats, type OwnNats, type OwnNatsOptions } from '../../scripts/servers/nats.ts';
import { NoServer } from '../../scripts/servers/test-server.ts';

type Undo = () => Promise<unknown>;

/** What a test has opened is closed after it, what a file has started after that. */
const opened: Undo[] = [];
const started: Undo[] = [];
afterEach(async () => {
  for (const undo of opened.splice(0).reverse()) await undo();
});
afterAll(async () => {
  for (const undo of started.splice(0).reverse()) await undo();
});

export const closeAfterwards = (undo: Undo): void => {
  opened.push(undo);
};

export const ownNats = async (options: Omit<OwnNatsOptions, 'progress'> = {}): Promise<OwnNats> => {
  const server = await startOwnNats({ progress: () => undefined, ...options });
  started.push(server.stop);
  return server;
};

/** Undefined, or the one line that says why there is no server here. */
export const missingNats = await startOwnNats({ progress: () => undefined, started: false }).then(
  (server) => server.stop().then(() => undefined),
  (thrown: unknown) => {
    if (thrown instanceof NoServer) return thrown.message;
    throw thrown;
  },
);

/** Behind our back: what the API of the platform does. */
export const adminAt = async (server: OwnNats): Promise<NatsConnection> => {
  const connection = await connect({ servers: server.url.replace(/\/\/.*@/, '//'), reconnect: false });
  opened.push(() => connection.close());
  return connection;
};

const STREAM = 'THE0_EVENTS';
const OF_BOTS = ['created', 'updated', 'deleted'].map((what) => `the0.bot.${what}`);
const OF_SCHEDULES = ['created', 'updated', 'deleted'].map((what) => `the0.bot-schedule.${what}`);

/** As the API makes it (contract §2). */
export const makeStream = async (admin: NatsConnection): Promise<void> => {
  const jetstream = await admin.jetstreamManager();
  await jetstream.streams.add({ name: STREAM, subjects: [...OF_BOTS, ...OF_SCHEDULES] });
};

export const removeStream = async (admin: NatsConnection): Promise<void> => {
  const jetstream = await admin.jetstreamManager();
  await jetstream.streams.delete(STREAM);
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

export interface TestBus {
  readonly bus: MessageBus;
  readonly lines: readonly LogLine[];
}

export const busAt = (url: string, install = 'i1'): TestBus => {
  const { lines, logger } = createRecorder();
  const bus = createNatsBus({ url, install, logger });
  opened.push(() => bus.close());
  return { bus, lines };
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

export interface Consuming {
  stop(): Promise<void>;
}

export const consumeWith = (bus: MessageBus, { consumer }: Collector): Consuming => {
  const over = new AbortController();
  const done = bus.consume(consumer, over.signal);
  const stop = (): Promise<void> => {
    over.abort();
    return done;
  };
  opened.push(stop);
  return { stop };
};
