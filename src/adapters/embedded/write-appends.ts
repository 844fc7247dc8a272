/** Several appends in one transaction. One that conflicts writes nothing and does not harm the others. */
import { GENESIS_HASH, sealCommit } from '../../domain/commit-hash.ts';
import { DroverError } from '../../domain/errors.ts';
import type { Commit } from '../../domain/recorded.ts';
import { COMMIT_COLUMNS, commitOf, insertCommit } from './commit-row.ts';
import type { PreparedAppend } from '../common/prepare-append.ts';
import type { Sql } from './sql-connection.ts';

/** What the store itself writes into each commit. */
export interface WriterStamp {
  /** Epoch milliseconds. */
  now(): number;
  readonly writer: string;
  readonly epoch: number;
}

const HEAD = 'SELECT position, hash FROM commits ORDER BY position DESC LIMIT 1';
const SAME_COMMAND = `SELECT ${COMMIT_COLUMNS} FROM commits WHERE stream = ? AND command_id = ?`;
const VERSION = 'SELECT to_version FROM commits WHERE stream = ? ORDER BY from_version DESC LIMIT 1';

/** One result for each append, in order: the commit (new, or stored before under the same command id) or its conflict. */
export const writeAppends = async (
  sql: Sql,
  appends: readonly PreparedAppend[],
  stamp: WriterStamp,
): Promise<readonly (Commit | DroverError)[]> => {
  const last = await sql.get(HEAD);
  let position = Number(last?.['position'] ?? 0);
  let prevHash = last === undefined ? GENESIS_HASH : String(last['hash']);
  const results: (Commit | DroverError)[] = [];

  for (const append of appends) {
    // Before the version: whoever repeats a command holds a stale version by nature.
    const stored = await sql.get(SAME_COMMAND, append.stream, append.commandId);
    if (stored !== undefined) {
      results.push(commitOf(stored));
      continue;
    }
    const version = Number((await sql.get(VERSION, append.stream))?.['to_version'] ?? 0);
    if (version !== append.expectedVersion) {
      const text = `${append.stream} is at version ${String(version)}, not at ${String(append.expectedVersion)}`;
      results.push(new DroverError('VERSION_CONFLICT', text));
      continue;
    }
    position += 1;
    const commit = sealCommit({
      position,
      stream: append.stream,
      from: version + 1,
      to: version + append.events.length,
      events: append.events,
      commandId: append.commandId,
      causes: append.causes,
      prevHash,
      recordedAt: stamp.now(),
      writer: stamp.writer,
      epoch: stamp.epoch,
    });
    await insertCommit(sql, commit, append.texts);
    prevHash = commit.hash;
    results.push(commit);
  }
  return results;
};
