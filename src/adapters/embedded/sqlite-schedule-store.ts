/** What is wished of scheduled bots, in the SQLite file. */
import type { ScheduleRequest } from '../../domain/schedule.ts';
import type { ScheduleStore } from '../../ports/spec-store.ts';
import type { EmbeddedDatabase } from './open-database.ts';
import { createSqliteStoreOf, type SqliteSpecStoreOptions } from './sqlite-spec-store.ts';

/** @throws as `createSqliteStoreOf` */
export const createSqliteScheduleStore = async (
  db: EmbeddedDatabase,
  options?: SqliteSpecStoreOptions,
): Promise<ScheduleStore> => ({
  ...(await createSqliteStoreOf<ScheduleRequest>(db, 'schedules', options)),
  // For other readers, and this file has none: it is locked, and when a schedule runs next is in the log.
  noteNextExecution: () => Promise.resolve(),
});
