/**
 * ServiceState: every bot's machine state, folded from its log and from nothing else. The API and the transition log
 * read it; the reconciler takes the state it plans on from it.
 */
import { botOfStream, botStream } from '../domain/bot-event.ts';
import type { BotState } from '../domain/bot-state.ts';
import type { Commit } from '../domain/recorded.ts';
import type { FleetMetrics, RunningBot } from '../domain/running-bot.ts';
import { initialState } from '../machines/evolve.ts';
import { fromSnapshot, toSnapshot, type VersionedState } from '../machines/snapshot.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { FleetView } from '../ports/fleet-view.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import { foldCommit } from './fold-commit.ts';
import { createFleetCounters, type FleetCounters } from './fleet-counters.ts';
import { toRunningBot } from './running-bot.ts';

export interface ServiceState extends FleetView {
  /** Folds everything the log holds; snapshots only shorten the way. */
  restore(): Promise<void>;
  /** The state to plan on. @throws DroverError EVENT_ILLEGAL when this bot's log cannot be folded */
  load(botId: string): Promise<VersionedState>;
  /** Folds a commit in once, whichever path it came by. */
  apply(commit: Commit): void;
  /** Drops the cached fold: the next load reads the log. */
  forget(botId: string): void;
  /** Every bot's state with the version it stands at. */
  folds(): ReadonlyMap<string, VersionedState>;
  saveSnapshots(): Promise<void>;
  readonly counters: FleetCounters;
}

const SNAPSHOT_EVERY = 100;
const RESTORED_AT_ONCE = 32;

export const createServiceState = (stores: { events: EventStore; snapshots: SnapshotStore }): ServiceState => {
  const { events, snapshots } = stores;
  const folds = new Map<string, VersionedState>();
  const savedAt = new Map<string, number>();
  const counters = createFleetCounters();

  const readTail = async (botId: string, from: VersionedState): Promise<VersionedState> => {
    const commits = await events.read(botStream(botId), from.version + 1);
    return commits.reduce((fold, commit) => foldCommit(botId, fold, commit).after, from);
  };

  const save = async (botIds: readonly string[]): Promise<void> => {
    const taken = botIds.flatMap((botId) => {
      const fold = folds.get(botId);
      return fold === undefined || savedAt.get(botId) === fold.version ? [] : [{ botId, fold }];
    });
    if (taken.length === 0) return;
    await snapshots.save(taken.map(({ botId, fold }) => toSnapshot(botStream(botId), fold)));
    for (const { botId, fold } of taken) savedAt.set(botId, fold.version);
  };

  const apply = (commit: Commit): void => {
    const botId = botOfStream(commit.stream);
    if (botId === undefined) return;
    const before = folds.get(botId) ?? { state: initialState, version: 0 };
    if (commit.to <= before.version) return;
    if (commit.from !== before.version + 1) {
      // Something was written that we have not seen: only the log knows it.
      folds.delete(botId);
      return;
    }
    const { after } = foldCommit(botId, before, commit);
    folds.set(botId, after);
    // A snapshot is only a cache: losing one costs a longer fold at the next start, nothing else.
    if (after.version - (savedAt.get(botId) ?? 0) >= SNAPSHOT_EVERY) save([botId]).catch(() => undefined);
  };

  const isKnown = ({ context }: BotState): boolean => context.incarnation > 0;
  const show = (botId: string, fold: VersionedState): RunningBot => toRunningBot(botId, fold);

  return {
    counters,
    apply,
    async restore() {
      const cached = new Map((await snapshots.loadAll()).map((snapshot) => [snapshot.stream, snapshot]));
      const streams = [...(await events.streams())];
      const restoreOne = async (stream: string, version: number): Promise<void> => {
        const botId = botOfStream(stream);
        if (botId === undefined) return;
        const snapshot = cached.get(stream);
        const start = snapshot === undefined ? undefined : fromSnapshot(snapshot);
        // A snapshot ahead of its log was taken of another log.
        const usable = start !== undefined && start.version <= version ? start : undefined;
        if (usable !== undefined) savedAt.set(botId, usable.version);
        if (usable?.version === version) {
          folds.set(botId, usable);
          return;
        }
        await readTail(botId, usable ?? { state: initialState, version: 0 }).then(
          (fold) => folds.set(botId, fold),
          () => folds.delete(botId), // Told when its turn comes: one broken log must not stop the others.
        );
      };
      // Side by side: a log on a server costs a way there and back for each stream.
      const lane = async (): Promise<void> => {
        for (let next = streams.pop(); next !== undefined; next = streams.pop()) await restoreOne(...next);
      };
      await Promise.all(Array.from({ length: RESTORED_AT_ONCE }, lane));
    },
    async load(botId) {
      const fold = folds.get(botId);
      if (fold !== undefined) return fold;
      const read = await readTail(botId, { state: initialState, version: 0 });
      folds.set(botId, read);
      return read;
    },
    forget: (botId) => void folds.delete(botId),
    folds: () => folds,
    saveSnapshots: () => save([...folds.keys()]),
    list: () =>
      [...folds]
        .filter(([, { state }]) => isKnown(state) && state.at !== 'deleted')
        .map(([botId, fold]) => show(botId, fold))
        .sort((a, b) => (a.botId < b.botId ? -1 : 1)),
    get: (botId) => {
      const fold = folds.get(botId);
      return fold !== undefined && isKnown(fold.state) ? show(botId, fold) : undefined;
    },
    metrics: (): FleetMetrics => counters.metrics([...folds.values()].map(({ state }) => state).filter(isKnown)),
  };
};
