/** A pause that an abort ends early and that keeps no process alive. Never rejects. */
import { setTimeout as sleep } from 'node:timers/promises';

export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal, ref: false }).then(
    () => undefined,
    () => undefined,
  );

/** Doubles from `first` to `most`. */
export const nextWait = (wait: number, most: number): number => Math.min(wait * 2, most);
