/** A clock of the test's own: time passes when the test says so, and timers fire when it has come that far. */
import type { Clock } from '../../src/ports/clock.ts';

export interface VirtualClock {
  readonly clock: Clock;
  /** Sets the time, forwards or back; timers that are due by then fire. */
  set(at: number): void;
  /** When the next timer is due; undefined without any. */
  next(): number | undefined;
  /** Timers that were ever armed. */
  armed(): number;
}

export const createVirtualClock = (start: number): VirtualClock => {
  let time = start;
  let armed = 0;
  const timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  return {
    clock: {
      now: () => time,
      random: () => 0.5,
      after(ms, callback) {
        armed += 1;
        const id = armed;
        timers.set(id, { at: time + ms, callback });
        return () => void timers.delete(id);
      },
    },
    set(at) {
      time = at;
      const due = [...timers].filter(([, timer]) => timer.at <= time).sort(([, a], [, b]) => a.at - b.at);
      for (const [id, { callback }] of due) if (timers.delete(id)) callback();
    },
    next: () => (timers.size === 0 ? undefined : Math.min(...[...timers.values()].map(({ at }) => at))),
    armed: () => armed,
  };
};
