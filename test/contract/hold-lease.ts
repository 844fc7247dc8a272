/** A process of its own that competes for a lease, prints `leads` when it has it, and keeps it until it is killed. */
import { writeSync } from 'node:fs';
import { openProcessMarks } from '../../src/adapters/common/process-mark.ts';
import { connectMongo } from '../../src/adapters/mongo/mongo-connection.ts';
import { createMongoLeadership } from '../../src/adapters/mongo/mongo-leadership.ts';
import { silentLogger } from '../support/silent-logger.ts';

const [uri, database, botsDatabase, leaseMs] = process.argv.slice(2);
if (uri !== undefined && database !== undefined && botsDatabase !== undefined) {
  const mongo = connectMongo({ uri, database, botsDatabase, schedulesDatabase: botsDatabase });
  const lease = createMongoLeadership(mongo, {
    role: 'r',
    holder: `child-${String(process.pid)}`,
    logger: silentLogger,
    marks: await openProcessMarks(),
    leaseMs: Number(leaseMs),
    renewMs: 100,
  });
  lease.onChange((leads) => writeSync(1, leads ? 'leads\n' : 'lost\n'));
  lease.start();
  setInterval(() => undefined, 1_000);
}
