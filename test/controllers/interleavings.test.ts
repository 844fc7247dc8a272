import fc from 'fast-check';
import { describe, it } from 'vitest';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { createFakeEngine } from '../support/fake-engine.ts';
import { aSpec, T0 } from '../support/given.ts';
import { anyStep, runInterleaving } from '../support/interleaving.ts';
import { createMemoryEventStore } from '../support/memory-event-store.ts';
import { createMemorySnapshotStore } from '../support/memory-snapshot-store.ts';
import { cases } from '../support/full.ts';

describe('any interleaving of facts, crashes and lost wakes', () => {
  it('never makes a twin and ends as wished, with the log folding to the live state', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 3, maxLength: 30 }), fc.boolean(), async (steps, stubborn) => {
        let time = T0;
        const now = (): number => time;
        const world = createFakeEngine(now);
        world.stubborn = stubborn;
        await runInterleaving(
          {
            spec: aSpec(),
            engine: world.engine,
            hands: world.hands,
            live: (botId) => world.live(botId),
            events: createMemoryEventStore(now),
            snapshots: createMemorySnapshotStore(),
            policy: DEFAULT_POLICY,
            now,
            pass: (ms) => {
              time += ms;
              return Promise.resolve();
            },
          },
          steps,
        );
      }),
      { numRuns: cases(60, 500) },
    );
  }, 120_000);
});
