/** How late runs start and what becomes of slots, counted as transitions pass (feature D15). */
import type { PassReason, RunOutcome } from '../../domain/schedule-event.ts';
import type { LatenessMetrics, ScheduleMetrics } from '../../domain/scheduled-bot.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import type { ScheduleTransition } from '../../domain/transition.ts';

/** Upper ends of the classes, ms: from "at once" to what a storm of a thousand takes. */
const BOUNDS = [50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000] as const;

export interface ScheduleCounters {
  count(transition: ScheduleTransition): void;
  add(counter: 'reconciles' | 'conflicts' | 'failures'): void;
  resynced(at: number): void;
  metrics(states: Iterable<ScheduleState>): ScheduleMetrics;
}

const createLateness = () => {
  const counts = [...BOUNDS.map(() => 0), 0];
  let count = 0;
  let sumMs = 0;
  let maxMs = 0;
  return {
    add(ms: number): void {
      const found = BOUNDS.findIndex((bound) => ms <= bound);
      const index = found < 0 ? BOUNDS.length : found;
      counts[index] = (counts[index] ?? 0) + 1;
      count += 1;
      sumMs += ms;
      maxMs = Math.max(maxMs, ms);
    },
    metrics: (): LatenessMetrics => ({ bounds: BOUNDS, counts: [...counts], count, sumMs, maxMs }),
  };
};

export const createScheduleCounters = (): ScheduleCounters => {
  const outcomes: Record<RunOutcome, number> = { succeeded: 0, failed: 0, timedOut: 0, replaced: 0, stopped: 0 };
  const passed: Record<PassReason, number> = { missed: 0, deadline: 0, overlap: 0, paused: 0, alreadyRan: 0 };
  const loop = { reconciles: 0, conflicts: 0, failures: 0 };
  const lateness = createLateness();
  let late = 0;
  let lastResyncAt: number | null = null;
  return {
    count({ event }) {
      if (event.type === 'RunEnded') outcomes[event.outcome] += 1;
      if (event.type === 'SlotsPassed') passed[event.reason] += event.count;
      if (event.type !== 'RunStarted') return;
      lateness.add(event.latenessMs);
      if (event.late) late += 1;
    },
    add: (counter) => void (loop[counter] += 1),
    resynced: (at) => void (lastResyncAt = at),
    metrics(states) {
      const schedules = { disabled: 0, armed: 0, paused: 0, deleted: 0 };
      let waiting = 0;
      let going = 0;
      for (const { at, context } of states) {
        if (context.incarnation === 0) continue;
        schedules[at] += 1;
        for (const { begunAt } of context.runs) {
          if (begunAt === null) waiting += 1;
          else going += 1;
        }
      }
      return {
        schedules,
        waiting,
        going,
        outcomes: { ...outcomes },
        passed: { ...passed },
        late,
        lateness: lateness.metrics(),
        ...loop,
        lastResyncAt,
      };
    },
  };
};
