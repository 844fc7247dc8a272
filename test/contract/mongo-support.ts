/** Fresh databases on the server that the test set-up found, and writers of our own beside the test. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { MongoClient } from 'mongodb';
import { connectMongo, type MongoConnection } from '../../src/adapters/mongo/mongo-connection.ts';
import { ensureIndexes } from '../../src/adapters/mongo/indexes.ts';
import { childProgram } from '../support/child-program.ts';
import { silentLogger } from '../support/silent-logger.ts';

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

export const mongoScratch = async (): Promise<MongoScratch> => {
  const uri = MONGO_URI ?? '';
  const name = `drover_test_${randomBytes(5).toString('hex')}`;
  const options = { uri, database: name, botsDatabase: `${name}_bots`, schedulesDatabase: `${name}_schedules` };
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
      const client = new MongoClient(uri);
      const { database, botsDatabase, schedulesDatabase } = options;
      for (const each of [database, botsDatabase, schedulesDatabase]) await client.db(each).dropDatabase();
      await client.close();
      for (const connection of open) await connection.close();
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
