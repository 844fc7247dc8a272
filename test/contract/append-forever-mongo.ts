/** A process of its own that writes to MongoDB until it is killed. */
import { connectMongo } from '../../src/adapters/mongo/mongo-connection.ts';
import { createMongoEventStore } from '../../src/adapters/mongo/mongo-event-store.ts';
import { appendForever } from './append-lanes.ts';

const [uri, database, botsDatabase, tag] = process.argv.slice(2);
if (uri !== undefined && database !== undefined && botsDatabase !== undefined) {
  const mongo = connectMongo({ uri, database, botsDatabase, schedulesDatabase: botsDatabase });
  await appendForever(
    createMongoEventStore(mongo, { now: Date.now, writer: `pid-${String(process.pid)}`, epoch: () => 1 }),
    tag,
  );
}
