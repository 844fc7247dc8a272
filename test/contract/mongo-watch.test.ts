/** A change stream whose collection goes away: the process lives on and hears of the next one. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { watchCollection } from '../../src/adapters/mongo/watch-collection.ts';
import { MONGO_URI, mongoScratch, type MongoScratch } from './mongo-support.ts';

describe.skipIf(MONGO_URI === undefined)('a watched collection', () => {
  let scratch: MongoScratch;
  const stopping: AbortController[] = [];
  beforeEach(async () => {
    scratch = await mongoScratch();
  });
  afterEach(async () => {
    for (const one of stopping.splice(0)) one.abort();
    await scratch.close();
  });

  it.for(['drop', 'rename', 'dropDatabase'] as const)(
    'is watched again after %s, and nothing else stands still',
    async (how, { skip }) => {
      const { bots, shared } = scratch.mongo;
      await bots.insertOne({ id: 'first' });
      const stop = new AbortController();
      stopping.push(stop);
      const states: boolean[] = [];
      const heard: unknown[] = [];
      watchCollection(bots, stop.signal, {
        onEvent: (event) =>
          heard.push('fullDocument' in event ? (event.fullDocument as { id?: string }).id : undefined),
        onState: (works) => states.push(works),
      });
      await expect.poll(() => states.length).toBeGreaterThan(0);
      skip(states[0] === false, 'this MongoDB has no change streams');
      if (how === 'drop') await bots.drop();
      else if (how === 'rename') await bots.rename('elsewhere');
      else await shared.dropDatabase();
      let longest = 0;
      let last = performance.now();
      const beat = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 20);
      await expect.poll(() => states.join()).toMatch(/true,false,true/);
      await bots.insertOne({ id: 'second' });
      await expect.poll(() => heard).toContain('second');
      clearInterval(beat);
      expect(longest).toBeLessThan(10_000);
    },
  );
});
