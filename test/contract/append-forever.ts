/** A process of its own for the kill -9 contract: appends on four streams at once and prints what was acknowledged. */
import { writeSync } from 'node:fs';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { event, newCommit, oneTo } from './commits.ts';

/** Appends under way at once; the test knows it. */
const LANES = 4;

const lane = async (events: EventStore, stream: string, from: number): Promise<never> => {
  for (let version = from; ;) {
    const batch = oneTo(1 + (version % 3)).map((n) => event({ n, padding: 'x'.repeat(version % 700) }));
    const { position, hash, to } = await events.append(newCommit(stream, version, batch));
    // Synchronous: a line that is out was acknowledged before it.
    writeSync(1, `${JSON.stringify({ position, hash })}\n`);
    version = to;
  }
};

const dataDir = process.argv[2];
if (dataDir !== undefined) {
  const { events } = await openEmbeddedStores({ dataDir, writer: `pid-${String(process.pid)}`, now: Date.now });
  const versions = await events.streams();
  await Promise.all(oneTo(LANES).map((n) => lane(events, `bot:${String(n)}`, versions.get(`bot:${String(n)}`) ?? 0)));
}
