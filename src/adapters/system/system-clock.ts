/** The real clock. setTimeout fires at once beyond 2^31 - 1 ms, so long waits are made of shorter ones (feature D16). */
import type { Clock } from '../../ports/clock.ts';

const LONGEST_MS = 60_000;

export const systemClock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, callback) {
    const due = Date.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = due - Date.now();
      timer = setTimeout(left <= LONGEST_MS ? callback : arm, Math.max(0, Math.min(left, LONGEST_MS)));
    };
    arm();
    return () => {
      clearTimeout(timer);
    };
  },
};
