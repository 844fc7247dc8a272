/** The seed's metrics, counted as transitions pass. */
import type { BotState, Phase } from '../domain/bot-state.ts';
import { phaseOf } from '../domain/bot-state.ts';
import type { FleetMetrics } from '../domain/running-bot.ts';
import type { Transition } from '../domain/transition.ts';

type Counted = 'reconciles' | 'conflicts' | 'failures';

export interface FleetCounters {
  count(transition: Transition): void;
  add(counter: Counted): void;
  /** Epoch milliseconds of the latest complete resync. */
  resynced(at: number): void;
  metrics(states: readonly BotState[]): FleetMetrics;
}

export const createFleetCounters = (): FleetCounters => {
  const counted = { reconciles: 0, conflicts: 0, failures: 0, transitions: 0, starts: 0, restarts: 0, crashes: 0 };
  let lastResyncAt: number | null = null;
  return {
    count({ event, from, to, attempt }) {
      counted.transitions += 1;
      if (event.type === 'ContainerStarted') {
        counted.starts += 1;
        if (attempt > 1) counted.restarts += 1;
      }
      if (event.type === 'ContainerExited' && to === 'failed.backingOff' && from !== 'failed.backingOff') {
        counted.crashes += 1;
      }
    },
    add: (counter) => void (counted[counter] += 1),
    resynced: (at) => void (lastResyncAt = at),
    metrics(states) {
      const bots: Record<Phase, number> = { stopped: 0, starting: 0, running: 0, stopping: 0, failed: 0, deleted: 0 };
      for (const { at } of states) bots[phaseOf(at)] += 1;
      return { ...counted, bots, lastResyncAt };
    },
  };
};
