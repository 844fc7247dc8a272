/** The MongoDB stores pass the contract suites, each handle on a connection of its own. */
import { describe } from 'vitest';
import { createMongoDeadLetters } from '../../src/adapters/mongo/mongo-dead-letters.ts';
import { createMongoEventStore } from '../../src/adapters/mongo/mongo-event-store.ts';
import { createMongoSnapshotStore } from '../../src/adapters/mongo/mongo-snapshot-store.ts';
import { createMongoWishStores } from '../../src/adapters/mongo/mongo-wish-stores.ts';
import { chainFault } from '../../src/domain/commit-hash.ts';
import { FULL } from '../support/full.ts';
import { FENCE } from './commits.ts';
import { crashContract } from './crash-contract.ts';
import { deadLetterContract } from './dead-letter-contract.ts';
import { eventStoreContract } from './event-store-contract.ts';
import { fenceOff, MONGO_URI, mongoScratch, spawnWriter } from './mongo-support.ts';
import { scheduleStoreContract } from './schedule-store-contract.ts';
import { snapshotStoreContract } from './snapshot-store-contract.ts';
import { botRequest, scheduleRequest, specStoreContract } from './spec-store-contract.ts';
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

  const openWishes = async () => {
    const scratch = await mongoScratch();
    const opened: { close(): Promise<void> }[] = [];
    const another = async () => {
      const stores = await createMongoWishStores(scratch.connect(), { writer: `w${String(opened.length)}` });
      opened.push(stores);
      return stores;
    };
    const close = async (): Promise<void> => {
      for (const stores of opened) await stores.close();
      await scratch.close();
    };
    return { another, close, mongo: scratch.mongo };
  };
  const openSpecs = async () => {
    const { another, close, mongo } = await openWishes();
    const specs = async () => (await another()).specs;
    const fill = FULL ? undefined : (documents: readonly object[]) => mongo.bots.insertMany([...documents]);
    return { store: await specs(), another: specs, ...(fill && { fill }), close };
  };
  const openSchedules = async () => {
    const { another, close, mongo } = await openWishes();
    const schedules = async () => (await another()).schedules;
    const fill = FULL ? undefined : (documents: readonly object[]) => mongo.schedules.insertMany([...documents]);
    return { store: await schedules(), another: schedules, ...(fill && { fill }), close };
  };
  specStoreContract('MongoDB, bots', openSpecs, botRequest);
  specStoreContract('MongoDB, schedules', openSchedules, scheduleRequest);
  wishContract('MongoDB, bots', openSpecs);
  wishContract('MongoDB, schedules', openSchedules);
  scheduleStoreContract('MongoDB', async () => {
    const { another, close } = await openWishes();
    return { ...(await another()), close };
  });
  scheduleStoreContract('MongoDB, each in a process of its own', async () => {
    const { another, close } = await openWishes();
    const { specs } = await another();
    const { schedules } = await another();
    return { specs, schedules, close };
  });

  deadLetterContract('MongoDB', async () => {
    const scratch = await mongoScratch();
    return { store: createMongoDeadLetters(scratch.mongo), close: () => scratch.close() };
  });

  snapshotStoreContract('MongoDB', async () => {
    const scratch = await mongoScratch();
    return { store: createMongoSnapshotStore(scratch.mongo), close: () => scratch.close() };
  });
});
