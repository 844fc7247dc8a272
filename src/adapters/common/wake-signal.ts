/** Wakes readers that have come to the end of the log. Counts its rings, so that one between looking and waiting is not lost. */

export interface WakeSignal {
  /** How often it rang; read it before looking. */
  count(): number;
  ring(): void;
  /** Resolves once it has rung more than `seen` times, or when `signal` aborts. Never rejects. */
  wait(seen: number, signal: AbortSignal): Promise<void>;
}

export const createWakeSignal = (): WakeSignal => {
  let rings = 0;
  const waiting = new Set<() => void>();
  return {
    count: () => rings,
    ring: () => {
      rings += 1;
      for (const wake of [...waiting]) wake();
    },
    wait: (seen, signal) =>
      new Promise((resolve) => {
        const wake = (): void => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        if (rings > seen || signal.aborted) {
          resolve();
          return;
        }
        waiting.add(wake);
        signal.addEventListener('abort', wake);
      }),
  };
};
