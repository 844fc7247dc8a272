/** Several expectations that hold together after a while; of a single value use `expect.poll`. */
import { vi } from 'vitest';

/** Tries `check` every 20 ms until it throws no more, for a minute. @throws what it threw last */
export const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 60_000, interval: 20 });
