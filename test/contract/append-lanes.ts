/** Appends on four streams at once without end and prints what was acknowledged. */
import { writeSync } from 'node:fs';
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

/** `tag` keeps the streams of several writers apart. */
export const appendForever = async (events: EventStore, tag = ''): Promise<void> => {
  const versions = await events.streams();
  const streams = oneTo(LANES).map((n) => `bot:${tag}${String(n)}`);
  await Promise.all(streams.map((stream) => lane(events, stream, versions.get(stream) ?? 0)));
};
