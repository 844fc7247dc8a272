/**
 * The one SQLite file of the embedded default: opened, locked, migrated, and handed out one transaction at a time.
 *
 * The lock is SQLite's own (`locking_mode=EXCLUSIVE`), a lock of the kernel: it vanishes with the process, however it
 * ends. It is a POSIX record lock: **while the database is open nothing else in this process may open and close the
 * file** (a backup included), for closing any descriptor of it would drop the lock.
 */
import { existsSync } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../../domain/errors.ts';
import { migrate } from './migrate.ts';
import { createListeners, type Listeners } from '../common/listeners.ts';
import { createSerialQueue } from './serial-queue.ts';
import { connect, type Sql, type SqlConnection } from './sql-connection.ts';
import { isBusy, toStoreError } from './sql-error.ts';
import type { SpecChange, WishKind } from '../common/spec-change.ts';
import { syncFolder } from './sync-folder.ts';
import { createWakeSignal, type WakeSignal } from '../common/wake-signal.ts';

export interface EmbeddedDatabase {
  readonly file: string;
  /** Sees only what is committed. @throws DroverError STORE_UNAVAILABLE, STORE_CORRUPT */
  read<T>(task: (sql: Sql) => Promise<T>): Promise<T>;
  /** One transaction, on disk when it resolves; all of it or, when `task` throws, nothing. @throws as `read` */
  write<T>(task: (sql: Sql) => Promise<T>): Promise<T>;
  /** Rings after each append, whichever handle made it. */
  readonly appended: WakeSignal;
  /** Told of each change of what is wished, by its kind, whichever handle made it. */
  readonly specChanges: Readonly<Record<WishKind, Listeners<SpecChange>>>;
  /** Waits for what is under way, then lets go of the file. Idempotent. */
  close(): Promise<void>;
}

// synchronous=FULL: COMMIT returns after the fsync of the log. cache_spill=OFF: nothing but COMMIT writes.
const TAKE = `PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  PRAGMA cache_spill = OFF; BEGIN IMMEDIATE; COMMIT;`;
// The driver keeps the connection open until its statements are collected; leaving WAL is what frees the lock at once.
const LET_GO = 'PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM meta;';

/** Folder 0700 and file 0600: documents may hold secrets. SQLite gives its side files the mode of the file. */
const prepareFile = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // Only when it is not there: see the head comment about opening and closing the file.
  if (existsSync(file)) return;
  await (await open(file, 'a', 0o600)).close();
  await syncFolder(dirname(file));
};

const takeOnce = async (file: string): Promise<SqlConnection> => {
  const connection = connect(file);
  try {
    await connection.exec(TAKE);
    await migrate(connection, file);
    return connection;
  } catch (thrown) {
    if (!isBusy(thrown)) await connection.exec(LET_GO).catch(() => undefined);
    connection.close();
    throw thrown;
  }
};

/** A predecessor may still be closing, and two that start together may each hold half a lock: try for a while. */
const take = async (file: string, lockWaitMs: number): Promise<SqlConnection> => {
  const until = performance.now() + lockWaitMs;
  for (;;) {
    try {
      return await takeOnce(file);
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() >= until) throw thrown;
      await sleep(50 + Math.random() * 100);
    }
  }
};

/**
 * Opens `file`, making it and its folder when they are not there.
 * @param options.lockWaitMs how long to wait for another holder to leave, ms
 * @throws DroverError STORE_LOCKED when another process keeps it, STORE_CORRUPT, STORE_UNAVAILABLE, CONFIG_INVALID
 */
export const openDatabase = async (
  file: string,
  options: { readonly lockWaitMs?: number } = {},
): Promise<EmbeddedDatabase> => {
  const queue = createSerialQueue();
  let connection: SqlConnection | undefined;
  try {
    await prepareFile(file);
    connection = await take(file, options.lockWaitMs ?? 1_500);
  } catch (thrown) {
    throw toStoreError(thrown, file);
  }

  const withConnection = <T>(task: (held: SqlConnection) => Promise<T>): Promise<T> =>
    queue(async () => {
      if (connection === undefined) throw new DroverError('STORE_UNAVAILABLE', `${file} is closed`);
      try {
        return await task(connection);
      } catch (thrown) {
        throw toStoreError(thrown, file);
      }
    });

  return {
    file,
    appended: createWakeSignal(),
    specChanges: { bots: createListeners(), schedules: createListeners() },
    read: (task) => withConnection(task),
    write: (task) =>
      withConnection(async (held) => {
        try {
          await held.exec('BEGIN IMMEDIATE');
          const result = await task(held);
          await held.exec('COMMIT');
          return result;
        } catch (thrown) {
          if (held.inTransaction()) await held.exec('ROLLBACK');
          throw thrown;
        }
      }),
    close: () =>
      queue(async () => {
        const held = connection;
        connection = undefined;
        if (held === undefined) return;
        try {
          await held.exec(LET_GO);
        } catch (thrown) {
          throw toStoreError(thrown, file);
        } finally {
          held.close();
        }
      }),
  };
};
