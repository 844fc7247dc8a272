/** Reads the log in bounded pages, each its own turn at the file, and refuses a log with a hole. */
import { DroverError } from '../../domain/errors.ts';
import type { Commit } from '../../domain/recorded.ts';
import { COMMIT_COLUMNS, commitOf } from './commit-row.ts';
import type { EmbeddedDatabase } from './open-database.ts';

const PAGE = 100;

const AFTER = `SELECT ${COMMIT_COLUMNS} FROM commits WHERE position > ? ORDER BY position LIMIT ?`;
const OF_STREAM = `SELECT ${COMMIT_COLUMNS} FROM commits WHERE stream = ? AND from_version >= ? ORDER BY from_version LIMIT ?`;
/** Where the commit that holds a version begins. */
const BEGIN = 'SELECT max(from_version) AS version FROM commits WHERE stream = ? AND from_version <= ?';

const hole = (text: string): DroverError => new DroverError('STORE_CORRUPT', `the event log has a gap: ${text}`);

/** Commits with position > `after`, at most `limit`. @throws DroverError STORE_CORRUPT at a hole */
export const readAfter = async (db: EmbeddedDatabase, after: number, limit: number): Promise<readonly Commit[]> => {
  const commits: Commit[] = [];
  while (commits.length < limit) {
    const wanted = Math.min(PAGE, limit - commits.length);
    const rows = await db.read((sql) => sql.all(AFTER, after + commits.length, wanted));
    for (const row of rows) {
      const commit = commitOf(row);
      const expected = after + commits.length + 1;
      if (commit.position !== expected) throw hole(`position ${String(expected)} is missing`);
      commits.push(commit);
    }
    if (rows.length < wanted) break;
  }
  return commits;
};

/** Commits of one stream from the one that holds `fromVersion`. @throws DroverError STORE_CORRUPT at a hole */
export const readStream = async (
  db: EmbeddedDatabase,
  stream: string,
  fromVersion: number,
): Promise<readonly Commit[]> => {
  const begin = await db.read((sql) => sql.get(BEGIN, stream, fromVersion));
  const first = Number(begin?.['version'] ?? 1);
  const commits: Commit[] = [];
  let next = first;
  for (;;) {
    const rows = await db.read((sql) => sql.all(OF_STREAM, stream, next, PAGE));
    for (const row of rows) {
      const commit = commitOf(row);
      if (commit.from !== next) throw hole(`version ${String(next)} of ${stream} is missing`);
      next = commit.to + 1;
      if (commit.to >= fromVersion) commits.push(commit);
    }
    if (rows.length < PAGE) return commits;
  }
};
