/** The log in one SQLite file: dense, chained by hash, durable before an append resolves. */
import { randomUUID } from 'node:crypto';
import { DroverError } from '../../domain/errors.ts';
import type { Commit } from '../../domain/recorded.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { createGroupCommit } from './group-commit.ts';
import type { EmbeddedDatabase } from './open-database.ts';
import { prepareAppend } from '../common/prepare-append.ts';
import { readAfter, readStream } from './read-commits.ts';

export interface SqliteEventStoreOptions {
  /** Epoch milliseconds. */
  now(): number;
  /** Who writes: stands in every commit. */
  readonly writer: string;
  /** Grows with each opening of the file. */
  readonly epoch: number;
  /** Makes the command id of an append that has none. */
  readonly mintId?: () => string;
}

const FEED_PAGE = 100;
const HEAD = 'SELECT max(position) AS position FROM commits';

/** Sorts behind every character of a name. */
const BEYOND = '\u{10ffff}';

/** Steps from stream to stream along the index, whatever the length of the log. */
const STREAMS = `
  WITH RECURSIVE names (stream) AS (
    SELECT min(stream) FROM commits WHERE stream >= ?1 AND stream < ?2
    UNION ALL
    SELECT (SELECT min(stream) FROM commits WHERE stream > names.stream AND stream < ?2) FROM names WHERE names.stream IS NOT NULL
  )
  SELECT names.stream AS stream,
    (SELECT to_version FROM commits WHERE stream = names.stream ORDER BY from_version DESC LIMIT 1) AS version
  FROM names WHERE names.stream IS NOT NULL`;

/** `close` ends its feeds and waits for its appends; the file stays open for the other stores. */
export const createSqliteEventStore = (db: EmbeddedDatabase, options: SqliteEventStoreOptions): EventStore => {
  const mintId = options.mintId ?? randomUUID;
  const group = createGroupCommit(db, options);
  const closing = new AbortController();
  const checkOpen = (): void => {
    if (closing.signal.aborted) throw new DroverError('STORE_UNAVAILABLE', 'the event store is closed');
  };

  const follow = async function* (after: number, signal: AbortSignal): AsyncGenerator<Commit, void, undefined> {
    const ended = AbortSignal.any([signal, closing.signal]);
    const hasEnded = (): boolean => ended.aborted;
    let at = after;
    while (!hasEnded()) {
      const seen = db.appended.count();
      const page = await readAfter(db, at, FEED_PAGE);
      for (const commit of page) {
        if (hasEnded()) return;
        at = commit.position;
        yield commit;
      }
      if (page.length === 0) await db.appended.wait(seen, ended);
    }
  };

  return {
    append: async (commit) => {
      checkOpen();
      return group.append(prepareAppend(commit, mintId));
    },
    read: (stream, fromVersion = 1) => readStream(db, stream, Math.max(1, fromVersion)),
    readAll: (after, limit) => readAfter(db, after, limit),
    feed: follow,
    head: async () => Number((await db.read((sql) => sql.get(HEAD)))?.['position'] ?? 0),
    streams: async (prefix = '') => {
      const rows = await db.read((sql) => sql.all(STREAMS, prefix, `${prefix}${BEYOND}`));
      return new Map(rows.map((row) => [String(row['stream']), Number(row['version'])]));
    },
    close: async () => {
      closing.abort();
      await group.idle();
    },
  };
};
