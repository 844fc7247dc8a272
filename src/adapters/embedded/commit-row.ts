/** A commit as a row of the log, and back. */
import { DroverError } from '../../domain/errors.ts';
import type { Cause, Commit, StoredEvent } from '../../domain/recorded.ts';
import type { CommitTexts } from '../common/prepare-append.ts';
import type { Sql, SqlRow } from './sql-connection.ts';

/** Columns in the order `insertCommit` writes them. */
export const COMMIT_COLUMNS =
  'position, stream, from_version, to_version, command_id, prev_hash, hash, recorded_at, writer, epoch, causes, events';

const INSERT = `INSERT INTO commits (${COMMIT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export const insertCommit = async (sql: Sql, commit: Commit, texts: CommitTexts): Promise<void> => {
  await sql.run(
    INSERT,
    commit.position,
    commit.stream,
    commit.from,
    commit.to,
    commit.commandId,
    commit.prevHash,
    commit.hash,
    commit.recordedAt,
    commit.writer,
    commit.epoch,
    texts.causes,
    texts.events,
  );
};

const parseList = (text: unknown): readonly unknown[] => {
  const value: unknown = JSON.parse(String(text));
  if (!Array.isArray(value)) throw new SyntaxError('not a list');
  return value;
};

/** @throws DroverError STORE_CORRUPT when the text of its events or causes is not a JSON list; names the position */
export const commitOf = (row: SqlRow): Commit => {
  const position = Number(row['position']);
  try {
    return {
      position,
      stream: String(row['stream']),
      from: Number(row['from_version']),
      to: Number(row['to_version']),
      events: parseList(row['events']) as readonly StoredEvent[],
      commandId: String(row['command_id']),
      causes: parseList(row['causes']) as readonly Cause[],
      prevHash: String(row['prev_hash']),
      hash: String(row['hash']),
      recordedAt: Number(row['recorded_at']),
      writer: String(row['writer']),
      epoch: Number(row['epoch']),
    };
  } catch (thrown) {
    throw new DroverError('STORE_CORRUPT', `commit ${String(position)} cannot be read`, { cause: thrown });
  }
};
