/**
 * Every state of one kind, folded from its logs and from nothing else. The reconciler plans on it; ServiceState and the views
 * of schedules are read off it.
 */
import type { Commit } from '../domain/recorded.ts';
import type { StreamKind } from '../domain/streams.ts';
import type { AnyState, Machine } from '../machines/machine.ts';
import { fromSnapshot, toSnapshot, type Versioned } from '../machines/snapshot.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import { brokenLog, type BrokenLog } from './broken-log.ts';
import { foldCommit } from './fold-commit.ts';

export interface FoldStore<S> {
  /** Folds everything the log holds of this kind; snapshots only shorten the way. */
  restore(): Promise<void>;
  /** The state to plan on. @throws DroverError EVENT_ILLEGAL when this log cannot be folded */
  load(id: string): Promise<Versioned<S>>;
  /** Folds a commit in once, whichever path it came by. */
  apply(commit: Commit): void;
  /**
   * The log may hold more than the cached fold: the next load reads it. Until then the fold is shown as it is, because it is what
   * was last known; a bot whose store is away has not stopped for that.
   */
  forget(id: string): void;
  /** Was it forgotten and not loaded since? Then it says less than the log does. */
  isOutdated(id: string): boolean;
  /** Those whose log cannot be folded, as last read. */
  broken(): ReadonlyMap<string, BrokenLog>;
  /** Keeps nothing of it in memory. */
  evict(id: string): void;
  /** Every state with the version it stands at. */
  folds(): ReadonlyMap<string, Versioned<S>>;
  saveSnapshots(): Promise<void>;
}

export interface FoldStoreOptions<S extends AnyState, E extends { readonly at: number; readonly type: string }> {
  readonly machine: Machine<S, E>;
  readonly streams: StreamKind;
  readonly events: EventStore;
  readonly snapshots: SnapshotStore;
  /** Told after each commit that is folded in. */
  readonly onFolded?: (id: string, after: Versioned<S>) => void;
}

const SNAPSHOT_EVERY = 100;
const RESTORED_AT_ONCE = 32;

export const createFoldStore = <S extends AnyState, E extends { readonly at: number; readonly type: string }>(
  options: FoldStoreOptions<S, E>,
): FoldStore<S> => {
  const { machine, streams, events, snapshots, onFolded } = options;
  const start: Versioned<S> = { state: machine.initial, version: 0 };
  const folds = new Map<string, Versioned<S>>();
  /** Folds of what may be only a beginning of their log: id → which call of `forget` said so. */
  const outdated = new Map<string, number>();
  let forgotten = 0;
  /** How many loads of an id are under way. */
  const loading = new Map<string, number>();
  const savedAt = new Map<string, number>();
  const broken = new Map<string, BrokenLog>();
  /** Noted as long as it is the same; what is mended is noted no more. */
  const note = (id: string, found: BrokenLog | undefined): void => {
    if (found === undefined) broken.delete(id);
    else if (broken.get(id)?.detail !== found.detail) broken.set(id, found);
  };

  const readTail = async (id: string, from: Versioned<S>): Promise<Versioned<S>> => {
    const commits = await events.read(streams.of(id), from.version + 1);
    return commits.reduce((fold, commit) => foldCommit(machine, fold, commit).after, from);
  };

  const save = async (ids: readonly string[]): Promise<void> => {
    const taken = ids.flatMap((id) => {
      const fold = folds.get(id);
      return fold === undefined || savedAt.get(id) === fold.version ? [] : [{ id, fold }];
    });
    if (taken.length === 0) return;
    await snapshots.save(taken.map(({ id, fold }) => toSnapshot(machine, streams.of(id), fold)));
    for (const { id, fold } of taken) savedAt.set(id, fold.version);
  };

  const forget = (id: string): void => {
    // Of what is not in memory there is nothing to doubt: its next load reads the whole log. Runs that are over are evicted, and
    // their last commit may be heard of afterwards.
    if (!folds.has(id) && !loading.has(id)) return;
    forgotten += 1;
    outdated.set(id, forgotten);
  };

  /** Of a commit that cannot be folded its own bot is told, and no other. */
  const foldOne = (id: string, before: Versioned<S>, commit: Commit): Versioned<S> | undefined => {
    try {
      return foldCommit(machine, before, commit).after;
    } catch (thrown) {
      note(id, brokenLog(thrown));
      forget(id);
      return undefined;
    }
  };

  return {
    apply(commit) {
      const id = streams.idOf(commit.stream);
      if (id === undefined) return;
      const before = folds.get(id) ?? start;
      if (commit.to <= before.version) return;
      if (commit.from !== before.version + 1) {
        // Something was written that we have not seen: only the log knows it.
        forget(id);
        return;
      }
      const after = foldOne(id, before, commit);
      if (after === undefined) return;
      folds.set(id, after);
      // A snapshot is only a cache: losing one costs a longer fold at the next start, nothing else.
      if (after.version - (savedAt.get(id) ?? 0) >= SNAPSHOT_EVERY) save([id]).catch(() => undefined);
      onFolded?.(id, after);
    },
    async restore() {
      const cached = new Map((await snapshots.loadAll()).map((snapshot) => [snapshot.stream, snapshot]));
      const found = [...(await events.streams(streams.of('')))];
      const restoreOne = async (stream: string, version: number): Promise<void> => {
        const id = streams.idOf(stream);
        if (id === undefined) return;
        const snapshot = cached.get(stream);
        const from = snapshot === undefined ? undefined : fromSnapshot(machine, snapshot);
        // A snapshot ahead of its log was taken of another log.
        const usable = from !== undefined && from.version <= version ? from : undefined;
        if (usable !== undefined) savedAt.set(id, usable.version);
        if (usable?.version === version) {
          folds.set(id, usable);
          return;
        }
        await readTail(id, usable ?? start).then(
          (fold) => folds.set(id, fold),
          // One broken log must not stop the others.
          (thrown: unknown) => {
            folds.delete(id);
            note(id, brokenLog(thrown));
          },
        );
      };
      // Side by side: a log on a server costs a way there and back for each stream.
      const lane = async (): Promise<void> => {
        for (let next = found.pop(); next !== undefined; next = found.pop()) await restoreOne(...next);
      };
      await Promise.all(Array.from({ length: RESTORED_AT_ONCE }, lane));
    },
    async load(id) {
      const fold = folds.get(id);
      const doubt = outdated.get(id);
      if (fold !== undefined && doubt === undefined) return fold;
      loading.set(id, (loading.get(id) ?? 0) + 1);
      try {
        const read = await readTail(id, fold ?? start).catch((thrown: unknown) => {
          note(id, brokenLog(thrown));
          throw thrown;
        });
        note(id, undefined);
        // Commits may have been folded in meanwhile, or new doubt have come up.
        const current = folds.get(id);
        const newest = current !== undefined && current.version > read.version ? current : read;
        folds.set(id, newest);
        if (outdated.get(id) === doubt) outdated.delete(id);
        return newest;
      } finally {
        const others = (loading.get(id) ?? 1) - 1;
        if (others === 0) loading.delete(id);
        else loading.set(id, others);
      }
    },
    forget,
    isOutdated: (id) => outdated.has(id),
    evict(id) {
      folds.delete(id);
      outdated.delete(id);
      savedAt.delete(id);
      broken.delete(id);
    },
    broken: () => broken,
    folds: () => folds,
    saveSnapshots: () => save([...folds.keys()]),
  };
};
