/** The log, the snapshots and the dead letters on MongoDB pass the contract suites, each handle on a connection of its own. */
import { describe } from 'vitest';
import { createMongoDeadLetters } from '../../src/adapters/mongo/mongo-dead-letters.ts';
import { createMongoEventStore } from '../../src/adapters/mongo/mongo-event-store.ts';
import { createMongoSnapshotStore } from '../../src/adapters/mongo/mongo-snapshot-store.ts';
import { chainFault } from '../../src/domain/commit-hash.ts';
import { FENCE } from './commits.ts';
import { crashContract } from './crash-contract.ts';
import { deadLetterContract } from './dead-letter-contract.ts';
import { eventStoreContract } from './event-store-contract.ts';
import { fenceOff, MONGO_URI, mongoScratch, spawnWriter } from './mongo-support.ts';
import { snapshotStoreContract } from './snapshot-store-contract.ts';

const stamp = (writer: string) => ({ now: Date.now, writer, epoch: () => 1 });

describe.skipIf(MONGO_URI === undefined)('MongoDB', () => {
  eventStoreContract('MongoDB', async () => {
    const scratch = await mongoScratch();
    const stores: { close(): Promise<void> }[] = [];
    const another = (writer: string) => {
      const store = createMongoEventStore(scratch.connect(), stamp(writer));
      stores.push(store);
      return Promise.resolve(store);
    };
    const close = async (): Promise<void> => {
      for (const store of stores) await store.close();
      await scratch.close();
    };
    return { store: await another('first'), another, close };
  });

  crashContract(
    'MongoDB',
    async () => {
      const scratch = await mongoScratch();
      return {
        spawnWriter: () => spawnWriter(scratch),
        open: async () => {
          const store = createMongoEventStore(scratch.connect(), stamp(FENCE));
          await fenceOff(store);
          return {
            store,
            chainFault: async () => chainFault(await store.readAll(0, Number.MAX_SAFE_INTEGER)),
            close: () => store.close(),
          };
        },
        close: () => scratch.close(),
      };
    },
    4,
  );

  deadLetterContract('MongoDB', async () => {
    const scratch = await mongoScratch();
    return { store: createMongoDeadLetters(scratch.mongo), close: () => scratch.close() };
  });

  snapshotStoreContract('MongoDB', async () => {
    const scratch = await mongoScratch();
    return { store: createMongoSnapshotStore(scratch.mongo), close: () => scratch.close() };
  });
});
