/** The real clock. setTimeout fires at once beyond 2^31 - 1 ms, so long waits are made of shorter ones (feature D16). */
import type { Clock } from '../../ports/clock.ts';

/** How late a wall clock that was set forwards is noticed at most. */
const LONGEST_MS = 60_000;

const monotonic = (): number => performance.now();
const now = (): number => Date.now();

/** Waits until `read` shows `due`, and looks at it again at the end of each step. */
const waitUntil = (read: () => number, due: number, callback: () => void): (() => void) => {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = due - read();
    timer = setTimeout(left <= LONGEST_MS ? callback : arm, Math.max(0, Math.min(left, LONGEST_MS)));
  };
  arm();
  return () => {
    clearTimeout(timer);
  };
};

export const systemClock: Clock = {
  now,
  monotonic,
  random: () => Math.random(),
  after: (ms, callback) => waitUntil(monotonic, monotonic() + ms, callback),
  at: (when, callback) => waitUntil(now, when, callback),
};
