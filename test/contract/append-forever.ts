/** A process of its own for the kill -9 contract of SQLite. */
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { appendForever } from './append-lanes.ts';

const dataDir = process.argv[2];
if (dataDir !== undefined) {
  const { events } = await openEmbeddedStores({ dataDir, writer: `pid-${String(process.pid)}`, now: Date.now });
  await appendForever(events);
}
