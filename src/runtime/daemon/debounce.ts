/** Trailing debounce: runs after a quiet time, and at the latest some time after the first of many pokes (pitfall 34). */
export interface Debounce {
  poke(): void;
  cancel(): void;
}

/** `quietMs` after the last poke, at most `mostMs` after the first. */
export const createDebounce = (quietMs: number, mostMs: number, run: () => void): Debounce => {
  let timer: NodeJS.Timeout | undefined;
  let first = 0;
  let latest = 0;
  const check = (): void => {
    const now = performance.now();
    const due = Math.min(latest + quietMs, first + mostMs);
    if (now < due) {
      timer = setTimeout(check, Math.ceil(due - now));
      return;
    }
    timer = undefined;
    run();
  };
  return {
    poke() {
      latest = performance.now();
      if (timer !== undefined) return;
      first = latest;
      timer = setTimeout(check, quietMs);
    },
    cancel() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
};
