/** Ids of bots and schedules on MongoDB, and nothing else of them. Only reads: a wrong address is left as it was found. */
import type { Collection } from 'mongodb';
import { DroverError } from '../../domain/errors.ts';
import type { WishedIds } from '../../ports/wished-ids.ts';
import { foundInstallId, storedInstallId, wasMarked } from './install-meta.ts';
import { connectMongo, type MongoConnection, type MongoConnectionOptions } from './mongo-connection.ts';
import { toStoreError } from './mongo-error.ts';
import { createMongoEventStore } from './mongo-event-store.ts';

/** A member that lags behind does not know the newest yet. */
const NEWEST = { readPreference: 'primary', projection: { id: 1 } } as const;

const idsIn = async (collection: Collection, into: Set<string>): Promise<void> => {
  for await (const { id, _id } of collection.find({}, NEWEST)) {
    if (id !== undefined && id !== null) into.add(String(id));
    // The reference's queries find a bot by either (contract §3).
    into.add(String(_id));
  }
};

/** What all databases carry that a drover of this install began with; one from before there were schedules marked only one. */
const foundEverywhere = async (mongo: MongoConnection, install: string): Promise<string> => {
  const ofBots = await foundInstallId(mongo, install, 'bots');
  if (ofBots !== install || !(await wasMarked(mongo, 'schedules'))) return ofBots;
  return foundInstallId(mongo, install, 'schedules');
};

/** Does not connect before the first call. */
export const createMongoWishedIds = (options: MongoConnectionOptions): WishedIds => {
  const mongo = connectMongo(options);
  const writesNothing = (): never => {
    throw new DroverError('INTERNAL', 'garbage collection writes no log');
  };
  const events = createMongoEventStore(mongo, { now: writesNothing, writer: 'gc', epoch: writesNothing });

  const installId = async (): Promise<string> => {
    const stored = await storedInstallId(mongo);
    const found = stored === undefined ? undefined : await foundEverywhere(mongo, stored);
    if (found !== undefined && found === stored) return found;
    const what =
      stored === undefined
        ? `there is no install id in ${mongo.ours.databaseName}`
        : `install ${stored}: ${found ?? ''}`;
    throw new DroverError(
      'GC_REFUSED',
      `MongoDB at ${mongo.address} is not a store of drover (${what}); nothing is removed`,
    );
  };

  return {
    read: async () => {
      try {
        const before = await installId();
        const ids = new Set<string>();
        await idsIn(mongo.bots, ids);
        await idsIn(mongo.schedules, ids);
        const after = await installId();
        if (after === before) return { installId: before, ids };
        throw new DroverError('GC_REFUSED', `the store changed from install ${before} to ${after} while it was read`);
      } catch (thrown) {
        throw toStoreError(thrown);
      }
    },
    log: (stream) => events.read(stream),
    close: async () => {
      await events.close();
      await mongo.close();
    },
  };
};
