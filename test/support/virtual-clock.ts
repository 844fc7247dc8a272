/** A clock of the test's own: time passes when the test says so, and timers fire when it has come that far. */
import type { Clock } from '../../src/ports/clock.ts';

export interface VirtualClock {
  readonly clock: Clock;
  /** Time passes until the wall clock shows `at`; timers that are due by then fire. */
  set(at: number): void;
  /** The wall clock is set, forwards or back, and no time passes: what waits for a time may be due, what waits a while is not. */
  jump(ms: number): void;
  /** What the wall clock shows when the next timer is due; undefined without any. */
  next(): number | undefined;
  /** Timers that were ever armed. */
  armed(): number;
}

interface Timer {
  readonly due: number;
  /** `due` is a time of the wall clock, or of the other one. */
  readonly by: 'wall' | 'monotonic';
  readonly callback: () => void;
}

export const createVirtualClock = (start: number): VirtualClock => {
  let passed = 0;
  let offset = start;
  let armed = 0;
  const timers = new Map<number, Timer>();
  const now = (): number => passed + offset;
  /** When it is due, as the wall clock will show it if it is not set. */
  const dueAt = ({ due, by }: Timer): number => (by === 'wall' ? due : due + offset);
  const arm = (timer: Timer): (() => void) => {
    armed += 1;
    const id = armed;
    timers.set(id, timer);
    return () => void timers.delete(id);
  };
  const fire = (): void => {
    const due = [...timers].filter(([, timer]) => dueAt(timer) <= now()).sort(([, a], [, b]) => dueAt(a) - dueAt(b));
    for (const [id, { callback }] of due) if (timers.delete(id)) callback();
  };
  return {
    clock: {
      now,
      monotonic: () => passed,
      random: () => 0.5,
      after: (ms, callback) => arm({ due: passed + ms, by: 'monotonic', callback }),
      at: (when, callback) => arm({ due: when, by: 'wall', callback }),
    },
    set(at) {
      passed += Math.max(0, at - now());
      fire();
    },
    jump(ms) {
      offset += ms;
      fire();
    },
    next: () => (timers.size === 0 ? undefined : Math.min(...[...timers.values()].map(dueAt))),
    armed: () => armed,
  };
};
