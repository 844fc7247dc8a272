/** Where bots and schedules are wished, over one connection: they share the install, the drain, and how changes are told. */
import type { BotRequest } from '../../domain/bot.ts';
import type { ScheduleRequest } from '../../domain/schedule.ts';
import type { ScheduleStore, SpecStore } from '../../ports/spec-store.ts';
import { ensureInstallId } from './install-meta.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { translated } from './mongo-error.ts';
import { createMongoSpecStore } from './mongo-spec-store.ts';
import { nextExecutionUpdate } from './next-execution.ts';
import { createSpecChanges } from './spec-changes.ts';
import { placeOf } from './wish-place.ts';

export interface MongoWishStoresOptions {
  readonly installId?: string;
  /** Distinct for each process. */
  readonly writer: string;
}

export interface MongoWishStores {
  readonly specs: SpecStore;
  readonly schedules: ScheduleStore;
  /** Both, and waits for what is being told. */
  close(): Promise<void>;
}

/** @throws DroverError CONFIG_INVALID when `installId` is given and the database has another */
export const createMongoWishStores = async (
  mongo: MongoConnection,
  options: MongoWishStoresOptions,
): Promise<MongoWishStores> => {
  const installId = await translated(() => ensureInstallId(mongo, options.installId));
  const { writer } = options;
  const changes = createSpecChanges(mongo, writer);
  const specs = createMongoSpecStore<BotRequest>(mongo, { place: placeOf(mongo, 'bots'), installId, writer, changes });
  const place = placeOf(mongo, 'schedules');
  const schedules = createMongoSpecStore<ScheduleRequest>(mongo, { place, installId, writer, changes });
  return {
    specs,
    schedules: {
      ...schedules,
      noteNextExecution: async (id, at) => {
        await translated(() => place.documents.updateMany({ id }, nextExecutionUpdate(at)));
      },
    },
    close: async () => {
      await Promise.all([specs.close(), schedules.close()]);
      await changes.close();
    },
  };
};
