/** Fresh databases on the server that the test set-up found, and writers of our own beside the test. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { afterAll } from 'vitest';
import { connectMongo, type MongoConnection } from '../../src/adapters/mongo/mongo-connection.ts';
import { ensureIndexes } from '../../src/adapters/mongo/indexes.ts';
import { childProgram } from '../support/child-program.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { FENCE, newCommit } from './commits.ts';

/** Undefined where no server can be had; `npm test` names what was left out. */
export const MONGO_URI = process.env['MONGO_URI'] === '' ? undefined : process.env['MONGO_URI'];

export interface MongoScratch {
  readonly uri: string;
  readonly database: string;
  readonly botsDatabase: string;
  readonly schedulesDatabase: string;
  readonly mongo: MongoConnection;
  /** A connection of its own, as another process would hold it. */
  connect(): MongoConnection;
  close(): Promise<void>;
}

const namesOf = (name: string) => [name, `${name}_bots`, `${name}_schedules`] as const;

/** Databases of tests of this file that have ended: emptied for the next one, which is much cheaper than to make new ones. */
const free: string[] = [];
let keeper: MongoClient | undefined;
const server = (): MongoClient => (keeper ??= new MongoClient(MONGO_URI ?? ''));
afterAll(async () => {
  for (const name of free.splice(0).flatMap(namesOf)) await server().db(name).dropDatabase();
  await keeper?.close();
  keeper = undefined;
});

/** Nothing is left in them but their indexes. */
const empty = async (name: string): Promise<void> => {
  for (const database of namesOf(name).map((each) => server().db(each))) {
    const collections = await database.listCollections({}, { nameOnly: true }).toArray();
    await Promise.all(collections.map((each) => database.collection(each.name).deleteMany({})));
  }
};

export const mongoScratch = async (): Promise<MongoScratch> => {
  const uri = MONGO_URI ?? '';
  const name = free.pop() ?? `drover_test_${randomBytes(5).toString('hex')}`;
  const [database, botsDatabase, schedulesDatabase] = namesOf(name);
  const options = { uri, database, botsDatabase, schedulesDatabase };
  const open: MongoConnection[] = [];
  const connect = (): MongoConnection => {
    const connection = connectMongo(options);
    open.push(connection);
    return connection;
  };
  const mongo = connect();
  await ensureIndexes(mongo, silentLogger);
  return {
    ...options,
    mongo,
    connect,
    close: async () => {
      for (const connection of open) await connection.close();
      await empty(name);
      free.push(name);
    },
  };
};

/** A process of its own that appends until it is killed and prints what was acknowledged. `tag`: names its streams. */
export const spawnWriter = ({ uri, database, botsDatabase }: MongoScratch, tag = '') =>
  spawn(
    process.execPath,
    [
      childProgram(fileURLToPath(new URL('append-forever-mongo.ts', import.meta.url))),
      uri,
      database,
      botsDatabase,
      tag,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );

let fences = 0;

/**
 * What a writer had sent when it was killed may still be on its way through the server. Its place in the log is fixed, so
 * once a commit of ours has come after all others, nothing more can: `store` is one whose writer is FENCE.
 */
export const fenceOff = async (store: EventStore): Promise<number> => {
  fences += 1;
  return (await store.append(newCommit(`bot:${FENCE}-${String(fences)}`, 0))).position;
};
