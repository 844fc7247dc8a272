/** One client for all stores of a process. Uses only what MongoDB-compatible servers share: no transaction, no partial index. */
import { MongoClient, type Collection, type Db } from 'mongodb';
import { toStoreError } from './mongo-error.ts';

export interface MongoConnectionOptions {
  readonly uri: string;
  /** Database of what only drover reads and writes. */
  readonly database: string;
  /** Database of the documents other programs share (contract §3). */
  readonly botsDatabase: string;
  /** Database of the documents of schedules, shared likewise. */
  readonly schedulesDatabase: string;
}

export interface MongoConnection {
  readonly ours: Db;
  /** What other programs read and write too. */
  readonly shared: Db;
  /** `bot_runner.bots` of contract §3. */
  readonly bots: Collection;
  /** `bot_scheduler.bot_schedules` of contract §3. */
  readonly schedules: Collection;
  /** Which server, without user and password. */
  readonly address: string;
  /** @throws DroverError STORE_UNAVAILABLE */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Reads that must not see what a failover may take back; servers without replication ignore it. */
export const MAJORITY = { readConcern: { level: 'majority' } } as const;

const withoutSecrets = (uri: string): string => uri.replace(/\/\/[^@/]*@/, '//').replace(/\?.*$/, '');

/** Connects when first used, and again whenever it must: a server that is away is no reason not to start (fault R6). */
export const connectMongo = (options: MongoConnectionOptions): MongoConnection => {
  const client = new MongoClient(options.uri, {
    appName: 'drover',
    serverSelectionTimeoutMS: 3_000,
    connectTimeoutMS: 5_000,
    // A connection that went silent is noticed within 15 s (fault R51).
    socketTimeoutMS: 12_000,
    heartbeatFrequencyMS: 5_000,
    writeConcern: { w: 'majority', journal: true },
    ignoreUndefined: true,
  });
  const ours = client.db(options.database);
  const shared = client.db(options.botsDatabase);
  // Another program's broken text is one document's fault, and must not end the reading of all.
  const tolerant = { enableUtf8Validation: false };
  return {
    ours,
    shared,
    bots: shared.collection('bots', tolerant),
    schedules: client.db(options.schedulesDatabase).collection('bot_schedules', tolerant),
    address: withoutSecrets(options.uri),
    async ping() {
      try {
        await ours.command({ ping: 1 });
      } catch (thrown) {
        throw toStoreError(thrown);
      }
    },
    close: () => client.close(),
  };
};
