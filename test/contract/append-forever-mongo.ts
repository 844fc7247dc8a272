/** A process of its own for the kill -9 contract of MongoDB. */
import { connectMongo } from '../../src/adapters/mongo/mongo-connection.ts';
import { createMongoEventStore } from '../../src/adapters/mongo/mongo-event-store.ts';
import { appendForever } from './append-lanes.ts';

const [uri, database, botsDatabase] = process.argv.slice(2);
if (uri !== undefined && database !== undefined && botsDatabase !== undefined) {
  const mongo = connectMongo({ uri, database, botsDatabase });
  await appendForever(
    createMongoEventStore(mongo, { now: Date.now, writer: `pid-${String(process.pid)}`, epoch: () => 1 }),
  );
}
