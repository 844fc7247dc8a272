/** What is wished, on MongoDB: the stores pass the contract suites, each handle on a connection of its own. */
import { describe } from 'vitest';
import { createMongoWishStores } from '../../src/adapters/mongo/mongo-wish-stores.ts';
import { FULL } from '../support/full.ts';
import { MONGO_URI, mongoScratch } from './mongo-support.ts';
import { scheduleStoreContract } from './schedule-store-contract.ts';
import { botRequest, scheduleRequest, specStoreContract } from './spec-store-contract.ts';
import { wishContract } from './wish-contract.ts';

describe.skipIf(MONGO_URI === undefined)('what is wished, on MongoDB', () => {
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
});
