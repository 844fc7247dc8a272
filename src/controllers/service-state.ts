/**
 * ServiceState: every bot's machine state, folded from its log and from nothing else. The API and the transition log
 * read it; the reconciler takes the state it plans on from it.
 */
import type { BotState } from '../domain/bot-state.ts';
import type { FleetMetrics, RunningBot } from '../domain/running-bot.ts';
import { BOT_STREAMS, type StreamKind } from '../domain/streams.ts';
import { BOT } from '../machines/machine.ts';
import type { Versioned } from '../machines/snapshot.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { FleetView } from '../ports/fleet-view.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import { createFoldStore, type FoldStore } from './fold-store.ts';
import { createFleetCounters, type FleetCounters } from './fleet-counters.ts';
import { toRunningBot } from './running-bot.ts';

export interface ServiceState extends FleetView, FoldStore<BotState> {
  readonly counters: FleetCounters;
}

export interface ServiceStateOptions {
  readonly events: EventStore;
  readonly snapshots: SnapshotStore;
  /** Logs of bots when left out; runs have the same machine and logs of their own. */
  readonly streams?: StreamKind;
  readonly onFolded?: (id: string, after: Versioned<BotState>) => void;
}

const isKnown = ({ context }: BotState): boolean => context.incarnation > 0;

export const createServiceState = (options: ServiceStateOptions): ServiceState => {
  const store = createFoldStore({ machine: BOT, streams: BOT_STREAMS, ...options });
  const counters = createFleetCounters();
  const { folds } = store;
  return {
    ...store,
    counters,
    list: () =>
      [...folds()]
        .filter(([, { state }]) => isKnown(state) && state.at !== 'deleted')
        .map(([botId, fold]): RunningBot => toRunningBot(botId, fold))
        .sort((a, b) => (a.botId < b.botId ? -1 : 1)),
    get: (botId) => {
      const fold = folds().get(botId);
      return fold !== undefined && isKnown(fold.state) ? toRunningBot(botId, fold) : undefined;
    },
    metrics: (): FleetMetrics => counters.metrics([...folds().values()].map(({ state }) => state).filter(isKnown)),
  };
};
