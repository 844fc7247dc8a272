/** The cache of folds, beside the log. What cannot be read in it is folded again, so it is left out, never an error. */
import type { Snapshot, SnapshotStore } from '../../ports/snapshot-store.ts';
import type { EmbeddedDatabase } from './open-database.ts';
import type { SqlRow } from './sql-connection.ts';

const PAGE = 500;
const SAVE =
  'INSERT INTO snapshots (stream, body) VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET body = excluded.body';
const AFTER = `SELECT stream, body FROM snapshots WHERE stream > ? ORDER BY stream LIMIT ${String(PAGE)}`;

const snapshotOf = (row: SqlRow): Snapshot | undefined => {
  try {
    const { stream, version, machineVersion, at, context } = JSON.parse(String(row['body'])) as Snapshot;
    const usable =
      stream === row['stream'] &&
      Number.isSafeInteger(version) &&
      Number.isSafeInteger(machineVersion) &&
      typeof at === 'string' &&
      typeof context === 'object' &&
      (context as unknown) !== null;
    return usable ? { stream, version, machineVersion, at, context } : undefined;
  } catch {
    return undefined;
  }
};

export const createSqliteSnapshotStore = (db: EmbeddedDatabase): SnapshotStore => ({
  save: async (snapshots) => {
    for (let start = 0; start < snapshots.length; start += PAGE) {
      await db.write(async (sql) => {
        for (const snapshot of snapshots.slice(start, start + PAGE)) {
          await sql.run(SAVE, snapshot.stream, JSON.stringify(snapshot));
        }
      });
    }
  },
  loadAll: async () => {
    const snapshots: Snapshot[] = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const from: string = after;
      const rows = await db.read((sql) => sql.all(AFTER, from));
      snapshots.push(...rows.map(snapshotOf).filter((snapshot) => snapshot !== undefined));
      const last = rows.at(-1);
      after = rows.length === PAGE && last !== undefined ? String(last['stream']) : undefined;
    }
    return snapshots;
  },
  clear: async () => {
    await db.write((sql) => sql.run('DELETE FROM snapshots'));
  },
});
