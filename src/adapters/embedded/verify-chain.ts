/** Walks the whole log and names the first commit that is not as it was written. Cutting off the end is not seen. */
import { commitHash, GENESIS_HASH } from '../../domain/commit-hash.ts';
import { canonicalJson } from '../../domain/json.ts';
import type { Commit } from '../../domain/recorded.ts';
import { COMMIT_COLUMNS, commitOf } from './commit-row.ts';
import type { EmbeddedDatabase } from './open-database.ts';
import type { SqlRow } from './sql-connection.ts';

export type ChainVerdict =
  | { readonly ok: true; readonly commits: number; readonly headHash: string }
  | { readonly ok: false; readonly position: number; readonly reason: string };

const PAGE = 100;
const AFTER = `SELECT ${COMMIT_COLUMNS} FROM commits WHERE position > ? ORDER BY position LIMIT ?`;

const readable = (row: SqlRow): Commit | undefined => {
  try {
    return commitOf(row);
  } catch {
    return undefined;
  }
};

const faultOf = (row: SqlRow, expected: number, prevHash: string): string | undefined => {
  const position = Number(row['position']);
  if (position !== expected) return `missing: the next one is ${String(position)}`;
  const commit = readable(row);
  if (commit === undefined) return 'its text is not JSON';
  if (commit.prevHash !== prevHash) return 'prevHash is not the hash of the commit before it';
  const { hash, ...record } = commit;
  if (commitHash(record) !== hash) return 'hash does not match the content';
  // The same value in other characters: nothing of ours writes it so.
  const sameText = canonicalJson(commit.events) === row['events'] && canonicalJson(commit.causes) === row['causes'];
  return sameText ? undefined : 'its text was rewritten';
};

/** @throws DroverError STORE_UNAVAILABLE, STORE_CORRUPT when the file itself cannot be read */
export const verifyChain = async (db: EmbeddedDatabase): Promise<ChainVerdict> => {
  let commits = 0;
  let headHash = GENESIS_HASH;
  for (;;) {
    const rows = await db.read((sql) => sql.all(AFTER, commits, PAGE));
    for (const row of rows) {
      const reason = faultOf(row, commits + 1, headHash);
      if (reason !== undefined) return { ok: false, position: commits + 1, reason };
      commits += 1;
      headHash = String(row['hash']);
    }
    if (rows.length < PAGE) return { ok: true, commits, headHash };
  }
};
