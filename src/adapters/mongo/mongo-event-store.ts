/** The log on MongoDB: one document a commit, dense in position, written by several processes. */
import { randomUUID } from 'node:crypto';
import { Long, type Collection, type Filter } from 'mongodb';
import { createGroupAppend } from '../common/group-append.ts';
import { prepareAppend } from '../common/prepare-append.ts';
import { createWakeSignal, type WakeSignal } from '../common/wake-signal.ts';
import { DroverError } from '../../domain/errors.ts';
import type { Commit } from '../../domain/recorded.ts';
import type { EventStore } from '../../ports/event-store.ts';
import { fromDocument, type CommitDocument } from './commit-document.ts';
import { createCommitWriter, type WriterStamp } from './commit-writer.ts';
import { MAJORITY, type MongoConnection } from './mongo-connection.ts';
import { isUnsupported, translated } from './mongo-error.ts';
import { watchCollection } from './watch-collection.ts';

const FEED_PAGE = 200;
/** How often the log is looked at for what other processes wrote, ms: with a change stream only as a net below it. */
const POLL_MS = 200;
const POLL_BELOW_STREAM_MS = 2_000;

export const eventsOf = ({ ours }: MongoConnection): Collection<CommitDocument> => ours.collection('events');

const hole = (text: string): DroverError => new DroverError('STORE_CORRUPT', `the event log has a gap: ${text}`);

/** Streams whose names begin so. */
const named = (prefix: string): Filter<CommitDocument> =>
  prefix === '' ? {} : { stream: { $gte: prefix, $lt: `${prefix}\u{10ffff}` } };

/** A reader at the end of the log also looks by itself: other processes may have no way to wake it. */
const waitAtEnd = async (appended: WakeSignal, seen: number, pollMs: number, ended: AbortSignal): Promise<void> => {
  const turn = new AbortController();
  const stop = (): void => {
    turn.abort();
  };
  const timer = setTimeout(stop, pollMs);
  ended.addEventListener('abort', stop, { once: true });
  await appended.wait(seen, turn.signal);
  clearTimeout(timer);
  ended.removeEventListener('abort', stop);
};

/** `close` ends its feeds and waits for its appends; the connection stays open for the other stores. */
export const createMongoEventStore = (mongo: MongoConnection, stamp: WriterStamp): EventStore => {
  const commits = eventsOf(mongo);
  const appended = createWakeSignal();
  const write = createCommitWriter(commits, stamp);
  const group = createGroupAppend({
    oneEach: true,
    write: async (batch) => {
      await write(batch);
      appended.ring();
    },
  });
  const closing = new AbortController();
  let pollMs = POLL_MS;
  let watching = false;

  const listen = (): void => {
    if (watching) return;
    watching = true;
    watchCollection(commits, closing.signal, {
      onEvent: () => {
        appended.ring();
      },
      onState: (works) => {
        pollMs = works ? POLL_BELOW_STREAM_MS : POLL_MS;
        appended.ring();
      },
    });
  };

  const readAfter = (after: number, limit: number): Promise<readonly Commit[]> =>
    translated(async () => {
      const found = await commits
        .find({ _id: { $gt: Long.fromNumber(after) } }, MAJORITY)
        .sort({ _id: 1 })
        .limit(Math.min(limit, 2_147_483_647))
        .toArray();
      return found.map((document, index) => {
        const expected = after + index + 1;
        if (Number(document._id) !== expected) throw hole(`position ${String(expected)} is missing`);
        return fromDocument(document);
      });
    });

  const readStream = (stream: string, fromVersion: number): Promise<readonly Commit[]> =>
    translated(async () => {
      const found = await commits
        .find({ stream, to: { $gte: fromVersion } }, MAJORITY)
        .sort({ from: 1 })
        .toArray();
      let next = Math.min(found[0]?.from ?? 1, fromVersion);
      return found.map((document) => {
        if (document.from !== next) throw hole(`version ${String(next)} of ${stream} is missing`);
        next = document.to + 1;
        return fromDocument(document);
      });
    });

  const versionsByScan = async (prefix: string): Promise<ReadonlyMap<string, number>> => {
    const versions = new Map<string, number>();
    for await (const { stream, to } of commits.find(named(prefix), { projection: { stream: 1, to: 1 } })) {
      versions.set(stream, Math.max(versions.get(stream) ?? 0, to));
    }
    return versions;
  };

  const follow = async function* (after: number, signal: AbortSignal): AsyncGenerator<Commit, void, undefined> {
    const ended = AbortSignal.any([signal, closing.signal]);
    const hasEnded = (): boolean => ended.aborted;
    listen();
    let at = after;
    while (!hasEnded()) {
      const seen = appended.count();
      const page = await readAfter(at, FEED_PAGE);
      for (const commit of page) {
        if (hasEnded()) return;
        at = commit.position;
        yield commit;
      }
      if (page.length > 0 || hasEnded()) continue;
      await waitAtEnd(appended, seen, pollMs, ended);
    }
  };

  return {
    append: async (commit) => {
      if (closing.signal.aborted) throw new DroverError('STORE_UNAVAILABLE', 'the event store is closed');
      return group.append(prepareAppend(commit, randomUUID));
    },
    read: (stream, fromVersion = 1) => readStream(stream, Math.max(1, fromVersion)),
    readAll: readAfter,
    feed: follow,
    head: () =>
      translated(async () => {
        const [last] = await commits
          .find({}, { projection: { _id: 1 }, ...MAJORITY })
          .sort({ _id: -1 })
          .limit(1)
          .toArray();
        return last === undefined ? 0 : Number(last._id);
      }),
    streams: (prefix = '') =>
      translated(async () => {
        try {
          const rows = await commits
            .aggregate<{ _id: string; version: number }>([
              { $match: named(prefix) },
              { $group: { _id: '$stream', version: { $max: '$to' } } },
            ])
            .toArray();
          return new Map(rows.map(({ _id, version }) => [_id, version]));
        } catch (thrown) {
          if (!isUnsupported(thrown)) throw thrown;
          return versionsByScan(prefix);
        }
      }),
    close: async () => {
      closing.abort();
      await group.idle();
    },
  };
};
