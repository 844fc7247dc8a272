/** The MongoDB stores pass the contract suites, each handle on a connection of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from 'vitest';
import { createMongoDeadLetters } from '../../src/adapters/mongo/mongo-dead-letters.ts';
import { createMongoEventStore } from '../../src/adapters/mongo/mongo-event-store.ts';
import { createMongoSnapshotStore } from '../../src/adapters/mongo/mongo-snapshot-store.ts';
import { createMongoSpecStore } from '../../src/adapters/mongo/mongo-spec-store.ts';
import { chainFault } from '../../src/domain/commit-hash.ts';
import { crashContract } from './crash-contract.ts';
import { deadLetterContract } from './dead-letter-contract.ts';
import { eventStoreContract } from './event-store-contract.ts';
import { MONGO_URI, mongoScratch, spawnWriter } from './mongo-support.ts';
import { snapshotStoreContract } from './snapshot-store-contract.ts';
import { botRequest, specStoreContract } from './spec-store-contract.ts';
import { wishContract } from './wish-contract.ts';

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
          const store = createMongoEventStore(scratch.connect(), stamp('reader'));
          // What a writer had sent when it died may still be on its way through the server.
          for (let before = -1, head = 0; before !== head; before = head, head = await store.head()) await sleep(200);
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

  const openSpecs = async () => {
    const scratch = await mongoScratch();
    const stores: { close(): Promise<void> }[] = [];
    let count = 0;
    const another = async () => {
      count += 1;
      const store = await createMongoSpecStore(scratch.connect(), { writer: `w${String(count)}` });
      stores.push(store);
      return store;
    };
    const close = async (): Promise<void> => {
      for (const store of stores) await store.close();
      await scratch.close();
    };
    return { store: await another(), another, close };
  };
  specStoreContract('MongoDB', openSpecs, botRequest);
  wishContract('MongoDB', openSpecs);

  deadLetterContract('MongoDB', async () => {
    const scratch = await mongoScratch();
    return { store: createMongoDeadLetters(scratch.mongo), close: () => scratch.close() };
  });

  snapshotStoreContract('MongoDB', async () => {
    const scratch = await mongoScratch();
    return { store: createMongoSnapshotStore(scratch.mongo), close: () => scratch.close() };
  });
});
