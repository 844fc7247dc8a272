/** The embedded stores pass the contract suites. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeArchivePath } from '../../src/adapters/embedded/archive-path.ts';
import { createFolderArchiveStore } from '../../src/adapters/embedded/folder-archive-store.ts';
import { openDatabase } from '../../src/adapters/embedded/open-database.ts';
import { createSqliteDeadLetters } from '../../src/adapters/embedded/sqlite-dead-letters.ts';
import { createSqliteEventStore } from '../../src/adapters/embedded/sqlite-event-store.ts';
import { createSqliteScheduleStore } from '../../src/adapters/embedded/sqlite-schedule-store.ts';
import { createSqliteSnapshotStore } from '../../src/adapters/embedded/sqlite-snapshot-store.ts';
import { createSqliteSpecStore } from '../../src/adapters/embedded/sqlite-spec-store.ts';
import { verifyChain } from '../../src/adapters/embedded/verify-chain.ts';
import { archiveStoreContract } from './archive-store-contract.ts';
import { crashContract } from './crash-contract.ts';
import { deadLetterContract } from './dead-letter-contract.ts';
import { makeDataDir, spawnScript } from './embedded-support.ts';
import { eventStoreContract } from './event-store-contract.ts';
import { scheduleStoreContract } from './schedule-store-contract.ts';
import { snapshotStoreContract } from './snapshot-store-contract.ts';
import { botRequest, scheduleRequest, specStoreContract } from './spec-store-contract.ts';
import { wishContract } from './wish-contract.ts';

const openFresh = async () => {
  const dir = await makeDataDir();
  const db = await openDatabase(dir.database);
  return {
    db,
    close: async () => {
      await db.close();
      await dir.remove();
    },
  };
};

eventStoreContract('SQLite', async () => {
  const { db, close } = await openFresh();
  const another = (writer: string) => Promise.resolve(createSqliteEventStore(db, { now: Date.now, writer, epoch: 1 }));
  return { store: await another('first'), another, close };
});

crashContract(
  'SQLite',
  async () => {
    const dir = await makeDataDir();
    return {
      spawnWriter: () => spawnScript('append-forever.ts', dir.path),
      open: async () => {
        const db = await openDatabase(dir.database);
        return {
          store: createSqliteEventStore(db, { now: Date.now, writer: 'reader', epoch: 1 }),
          chainFault: async () => {
            const verdict = await verifyChain(db);
            return verdict.ok ? undefined : `${String(verdict.position)}: ${verdict.reason}`;
          },
          close: () => db.close(),
        };
      },
      close: () => dir.remove(),
    };
  },
  4,
);

const openSpecs = async () => {
  const { db, close } = await openFresh();
  const another = () => createSqliteSpecStore(db);
  return { store: await another(), another, close };
};
const openSchedules = async () => {
  const { db, close } = await openFresh();
  const another = () => createSqliteScheduleStore(db);
  return { store: await another(), another, close };
};
specStoreContract('SQLite, bots', openSpecs, botRequest);
specStoreContract('SQLite, schedules', openSchedules, scheduleRequest);
wishContract('SQLite, bots', openSpecs);
wishContract('SQLite, schedules', openSchedules);
scheduleStoreContract('SQLite', async () => {
  const { db, close } = await openFresh();
  return { specs: await createSqliteSpecStore(db), schedules: await createSqliteScheduleStore(db), close };
});

deadLetterContract('SQLite', async () => {
  const { db, close } = await openFresh();
  return { store: createSqliteDeadLetters(db), close };
});

snapshotStoreContract('SQLite', async () => {
  const { db, close } = await openFresh();
  return { store: createSqliteSnapshotStore(db), close };
});

archiveStoreContract('folder', async () => {
  const dir = await makeDataDir();
  const root = join(dir.path, 'archives');
  await mkdir(dir.path);
  return {
    store: await createFolderArchiveStore(root),
    content: (filePath) => readFile(codeArchivePath(root, filePath)),
    close: () => dir.remove(),
  };
});
