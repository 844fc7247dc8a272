/** Every store on one MongoDB server. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { ROLES, type OfficeStores, type Offices } from '../../ports/leadership.ts';
import type { Logger } from '../../ports/logger.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { ScheduleStore, SpecStore } from '../../ports/spec-store.ts';
import { DroverError } from '../../domain/errors.ts';
import { openProcessMarks } from '../common/process-mark.ts';
import { ensureIndexes } from './indexes.ts';
import { foundInstallId } from './install-meta.ts';
import { connectMongo, type MongoConnectionOptions } from './mongo-connection.ts';
import { createMongoDeadLetters } from './mongo-dead-letters.ts';
import { toStoreError } from './mongo-error.ts';
import { createMongoEventStore, eventsOf } from './mongo-event-store.ts';
import { createMongoLeadership } from './mongo-leadership.ts';
import { createMongoSnapshotStore } from './mongo-snapshot-store.ts';
import { createMongoWishStores } from './mongo-wish-stores.ts';

/** A server that does not answer holds nobody up: what is not stored by then was never promised (fault R22). */
const CLOSE_MS = 1_000;

export interface MongoStoresOptions extends MongoConnectionOptions {
  readonly installId?: string;
  /** Who writes, distinct for each process; stands in every commit. */
  readonly writer: string;
  readonly logger: Logger;
  /** Epoch milliseconds. */
  now(): number;
}

export interface MongoStores {
  readonly events: EventStore;
  readonly specs: SpecStore;
  readonly schedules: ScheduleStore;
  readonly snapshots: SnapshotStore;
  readonly deadLetters: DeadLetterStore;
  readonly offices: Offices;
  /** Which server, without user and password. */
  readonly address: string;
  close(): Promise<void>;
}

/** Fails at once when the server does not answer: whoever wants to wait calls again. @throws DroverError STORE_UNAVAILABLE, CONFIG_INVALID */
export const openMongoStores = async (options: MongoStoresOptions): Promise<MongoStores> => {
  const { writer, logger, installId } = options;
  const mongo = connectMongo(options);
  const marks = await openProcessMarks();
  try {
    await mongo.ping();
    await ensureIndexes(mongo, logger);
    const wishes = await createMongoWishStores(mongo, { writer, ...(installId === undefined ? {} : { installId }) });
    const { specs, schedules } = wishes;
    const install = await specs.installId();
    const verify = async (): Promise<void> => {
      const found = await foundInstallId(mongo, install, 'bots');
      if (found === install) return;
      throw new DroverError('STORE_CORRUPT', `the databases no longer belong to install ${install}: ${found}`);
    };
    const lastEpoch = async (): Promise<number> => {
      const projection = { epoch: 1 };
      const [last] = await eventsOf(mongo).find({}, { projection }).sort({ _id: -1 }).limit(1).toArray();
      return last?.epoch ?? 0;
    };
    const office = (role: string): OfficeStores => {
      const leadership = createMongoLeadership(mongo, { role, holder: writer, logger, verify, lastEpoch, marks });
      const epoch = (): number => {
        const held = leadership.epoch();
        if (held === undefined) throw new DroverError('LEASE_LOST', `this process is not the leader of ${role}`);
        return held;
      };
      return { leadership, events: createMongoEventStore(mongo, { now: () => options.now(), writer, epoch }) };
    };
    const offices = { bots: office(ROLES.bots), runs: office(ROLES.runs) };
    const { events } = offices.bots;
    return {
      events,
      specs,
      schedules,
      snapshots: createMongoSnapshotStore(mongo),
      deadLetters: createMongoDeadLetters(mongo),
      offices,
      address: mongo.address,
      close: async () => {
        const late = sleep(CLOSE_MS, undefined, { ref: false });
        const ending = [events.close(), offices.runs.events.close(), wishes.close()];
        const closing = Promise.allSettled(ending).then(() => mongo.close());
        await Promise.race([closing.catch(() => undefined), late]);
        marks.close();
      },
    };
  } catch (thrown) {
    marks.close();
    await mongo.close();
    throw toStoreError(thrown);
  }
};
