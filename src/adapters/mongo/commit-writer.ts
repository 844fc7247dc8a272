/**
 * Appends from several processes onto one dense log. A position is tried only after its predecessor was seen committed;
 * unique indexes on position, (stream, from) and (stream, commandId) decide races, and which of them it was is found by
 * reading back. Repeating an insert whose reply was lost is safe: the command id is minted before the first try (fault R8).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import type { Waiting } from '../common/group-append.ts';
import type { PreparedAppend } from '../common/prepare-append.ts';
import { GENESIS_HASH, sealCommit } from '../../domain/commit-hash.ts';
import { DroverError } from '../../domain/errors.ts';
import type { Commit } from '../../domain/recorded.ts';
import { fromDocument, toDocument, type CommitDocument } from './commit-document.ts';
import { MAJORITY } from './mongo-connection.ts';
import { isDuplicate, isUnstorable, toStoreError } from './mongo-error.ts';

export interface WriterStamp {
  /** Epoch milliseconds. */
  now(): number;
  readonly writer: string;
  /** Of the lease, asked again at each try. @throws DroverError LEASE_LOST */
  epoch(): number;
}

interface Head {
  readonly position: number;
  readonly hash: string;
}

/** How long an append is tried while the server does not answer, ms. */
const GIVE_UP_MS = 10_000;

export const createCommitWriter = (commits: Collection<CommitDocument>, stamp: WriterStamp) => {
  /** Versions that streams were seen at: real boundaries, so that a stale one meets its successor at the unique index. */
  const versions = new Map<string, number>();
  let head: Head | undefined;

  const readHead = async (): Promise<Head> => {
    const projection = { hash: 1 };
    const [last] = await commits
      .find({}, { projection, ...MAJORITY })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    return last === undefined ? { position: 0, hash: GENESIS_HASH } : { position: Number(last._id), hash: last.hash };
  };

  const readStored = async ({ stream, commandId }: PreparedAppend): Promise<Commit | undefined> => {
    const found = await commits.findOne({ stream, commandId }, MAJORITY);
    return found === null ? undefined : fromDocument(found);
  };

  const readVersion = async (stream: string): Promise<number> => {
    const projection = { to: 1 };
    const [last] = await commits
      .find({ stream }, { projection, ...MAJORITY })
      .sort({ from: -1 })
      .limit(1)
      .toArray();
    return last?.to ?? 0;
  };

  /** True when it may be written now; settled already otherwise. */
  const isReady = async (entry: Waiting): Promise<boolean> => {
    const { stream, expectedVersion } = entry.append;
    if (versions.get(stream) === expectedVersion) return true;
    // Before the version: whoever repeats a command holds a stale version by nature.
    const stored = await readStored(entry.append);
    if (stored !== undefined) {
      entry.resolve(stored);
      return false;
    }
    const version = await readVersion(stream);
    versions.set(stream, version);
    if (version === expectedVersion) return true;
    // Another process may have written this very command since we looked for it.
    const late = await readStored(entry.append);
    if (late !== undefined) {
      entry.resolve(late);
      return false;
    }
    const text = `${stream} is at version ${String(version)}, not at ${String(expectedVersion)}`;
    entry.reject(new DroverError('VERSION_CONFLICT', text));
    return false;
  };

  const seal = (entries: readonly Waiting[], after: Head): readonly Commit[] => {
    let { position, hash: prevHash } = after;
    const recordedAt = stamp.now();
    const epoch = stamp.epoch();
    return entries.map(({ append: { stream, expectedVersion, events, commandId, causes } }) => {
      position += 1;
      const [from, to] = [expectedVersion + 1, expectedVersion + events.length];
      const record = { position, stream, from, to, events, commandId, causes, prevHash };
      const commit = sealCommit({ ...record, recordedAt, writer: stamp.writer, epoch });
      prevHash = commit.hash;
      return commit;
    });
  };

  const took = (entry: Waiting, commit: Commit): void => {
    versions.set(commit.stream, commit.to);
    entry.resolve(commit);
  };

  /** Those of the entries that are neither written nor refused. */
  const writeOnce = async (entries: readonly Waiting[]): Promise<readonly Waiting[]> => {
    const checked = await Promise.all(entries.map(async (entry) => ({ entry, ready: await isReady(entry) })));
    const ready = checked.filter((item) => item.ready).map(({ entry }) => entry);
    if (ready.length === 0) return [];
    head ??= await readHead();
    const sealed = seal(ready, head);
    try {
      // Ordered: the server takes each only after its predecessor, and stops at the first that it refuses.
      await commits.insertMany(sealed.map(toDocument), { ordered: true });
    } catch (thrown) {
      head = undefined;
      for (const { append } of ready) versions.delete(append.stream);
      const stored = await Promise.all(ready.map(({ append }) => readStored(append)));
      const left = ready.filter((entry, index) => {
        const commit = stored[index];
        if (commit !== undefined) took(entry, commit);
        return commit === undefined;
      });
      // All there after all: only the reply was lost. A race that was lost is tried again; the rest is the server's trouble.
      if (left.length > 0 && !isDuplicate(thrown)) throw thrown;
      return left;
    }
    for (const [index, entry] of ready.entries()) {
      const commit = sealed[index];
      if (commit === undefined) continue;
      head = { position: commit.position, hash: commit.hash };
      took(entry, commit);
    }
    return [];
  };

  /** Settles every entry, at most one a stream. Never rejects. */
  const writeAll = async (entries: readonly Waiting[]): Promise<void> => {
    let left: readonly Waiting[] = entries;
    const since = performance.now();
    for (let tries = 0; left.length > 0; tries += 1) {
      const settled = new Set<Waiting>();
      const watched = left.map((entry): Waiting => ({
        append: entry.append,
        resolve: (commit) => {
          settled.add(entry);
          entry.resolve(commit);
        },
        reject: (error) => {
          settled.add(entry);
          entry.reject(error);
        },
      }));
      try {
        await writeOnce(watched);
        left = left.filter((entry) => !settled.has(entry));
        // Jitter: of many who raced for one position all but one are here.
        if (left.length > 0 && performance.now() - since > 3 * GIVE_UP_MS) {
          throw new DroverError(
            'STORE_UNAVAILABLE',
            'MongoDB refuses log positions as duplicates, but does not return what it has stored there',
          );
        }
        if (left.length > 0) await sleep(Math.random() * Math.min(2 * (tries + 1), 50));
      } catch (thrown) {
        head = undefined;
        left = left.filter((entry) => !settled.has(entry));
        // One commit that the server cannot take must not harm those that went with it.
        if (isUnstorable(thrown) && left.length > 1) {
          for (const entry of left) await writeAll([entry]);
          return;
        }
        const isFinal = thrown instanceof DroverError || isUnstorable(thrown) || performance.now() - since > GIVE_UP_MS;
        if (isFinal) {
          for (const entry of left) entry.reject(toStoreError(thrown));
          return;
        }
        await sleep(100 + Math.random() * 200);
      }
    }
  };
  return writeAll;
};
