/**
 * ServiceState: every bot's machine state, folded from its log and from nothing else. The API and the transition log
 * read it; the reconciler takes the state it plans on from it.
 */
import type { BotState } from '../domain/bot-state.ts';
import { blankBot, type FleetMetrics, type RunningBot } from '../domain/running-bot.ts';
import { BOT_STREAMS, type StreamKind } from '../domain/streams.ts';
import { BOT } from '../machines/machine.ts';
import type { Versioned } from '../machines/snapshot.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { FleetView } from '../ports/fleet-view.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import { logCorrupt } from './broken-log.ts';
import { createFoldStore, type FoldStore } from './fold-store.ts';
import { createFleetCounters, type FleetCounters } from './fleet-counters.ts';
import { toRunningBot } from './running-bot.ts';
import { createTurnFailures, failureConditions, type TurnFailures } from './turn-failures.ts';

export interface ServiceState extends FleetView, FoldStore<BotState> {
  readonly counters: FleetCounters;
  /** Turns of bots that fail. */
  readonly failures: TurnFailures;
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
  const failures = createTurnFailures();
  const show = (botId: string): RunningBot | undefined => {
    const fold = folds().get(botId);
    const known = fold !== undefined && isKnown(fold.state) ? toRunningBot(botId, fold) : undefined;
    const broken = store.broken().get(botId);
    if (broken !== undefined) {
      const { conditions, ...bot } = known ?? blankBot(botId, 'unknown', []);
      return { ...bot, status: 'unknown', state: 'unknown', conditions: [...conditions, logCorrupt(broken)] };
    }
    if (known === undefined) return undefined;
    return { ...known, conditions: [...known.conditions, ...failureConditions(failures.all().get(botId))] };
  };
  return {
    ...store,
    counters,
    failures,
    list: () =>
      [...new Set([...folds().keys(), ...store.broken().keys()])]
        .flatMap((botId) => show(botId) ?? [])
        .filter(({ state }) => state !== 'deleted')
        .sort((a, b) => (a.botId < b.botId ? -1 : 1)),
    get: show,
    metrics: (): FleetMetrics => counters.metrics([...folds().values()].map(({ state }) => state).filter(isKnown)),
  };
};
