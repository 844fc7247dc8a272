/** The default without servers: every store in one data folder, held by one process. */
import { join } from 'node:path';
import type { ArchiveStore } from '../../ports/archive-store.ts';
import type { DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { ROLES, type Offices } from '../../ports/leadership.ts';
import type { SnapshotStore } from '../../ports/snapshot-store.ts';
import type { ScheduleStore, SpecStore } from '../../ports/spec-store.ts';
import { clearIncoming, createFolderArchiveStore } from './folder-archive-store.ts';
import { nextEpoch } from './next-epoch.ts';
import { openDatabase } from './open-database.ts';
import { createSoleLeadership } from './sole-leadership.ts';
import { createSqliteDeadLetters } from './sqlite-dead-letters.ts';
import { createSqliteEventStore } from './sqlite-event-store.ts';
import { createSqliteScheduleStore } from './sqlite-schedule-store.ts';
import { createSqliteSnapshotStore } from './sqlite-snapshot-store.ts';
import { createSqliteSpecStore } from './sqlite-spec-store.ts';
import { createWritable } from './writable.ts';

export interface EmbeddedStoresOptions {
  /** Made with mode 0700 when it is not there. */
  readonly dataDir: string;
  /** Kept at the first opening; later it must be the same or left out. */
  readonly installId?: string;
  /** Who writes, e.g. the host's name and the process id; stands in every commit. */
  readonly writer: string;
  /** Epoch milliseconds. */
  now(): number;
}

export interface EmbeddedStores {
  readonly events: EventStore;
  readonly specs: SpecStore;
  readonly schedules: ScheduleStore;
  readonly snapshots: SnapshotStore;
  readonly deadLetters: DeadLetterStore;
  /** Always ours: the lock on the data folder is the lease. */
  readonly offices: Offices;
  readonly archives: ArchiveStore;
  /** Argument of `codeArchivePath`. */
  readonly archiveRoot: string;
  /** Rejects when nothing can be written in the data folder. */
  readonly writable: () => Promise<void>;
  /** Ends feeds and listeners, waits for what is under way, frees the data folder. */
  close(): Promise<void>;
}

/** File names within the data folder. */
export const DATABASE_FILE = 'drover.db';
export const ARCHIVE_FOLDER = 'archives';

/** @throws DroverError STORE_LOCKED, STORE_CORRUPT, STORE_UNAVAILABLE, ARCHIVE_UNAVAILABLE, CONFIG_INVALID */
export const openEmbeddedStores = async (options: EmbeddedStoresOptions): Promise<EmbeddedStores> => {
  const { dataDir, installId, writer } = options;
  const now = (): number => options.now();
  const db = await openDatabase(join(dataDir, DATABASE_FILE));
  try {
    const specs = await createSqliteSpecStore(db, installId === undefined ? {} : { installId });
    const schedules = await createSqliteScheduleStore(db);
    const epoch = await nextEpoch(db);
    const events = createSqliteEventStore(db, { now, writer, epoch });
    const archiveRoot = join(dataDir, ARCHIVE_FOLDER);
    const archives = await createFolderArchiveStore(archiveRoot);
    await clearIncoming(archiveRoot);
    return {
      events,
      specs,
      schedules,
      snapshots: createSqliteSnapshotStore(db),
      deadLetters: createSqliteDeadLetters(db),
      offices: {
        bots: { leadership: createSoleLeadership(ROLES.bots, writer, epoch), events },
        runs: { leadership: createSoleLeadership(ROLES.runs, writer, epoch), events },
      },
      archives,
      archiveRoot,
      writable: createWritable(dataDir),
      close: async () => {
        await events.close();
        await specs.close();
        await schedules.close();
        await db.close();
      },
    };
  } catch (thrown) {
    await db.close();
    throw thrown;
  }
};
