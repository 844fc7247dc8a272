/** The free disk under the engine, looked at seldom enough to cost nothing (fault R32). */
import type { ContainerTools } from '../ports/container-tools.ts';

const FRESH_MS = 10_000;

/** Never throws: a disk that cannot be looked at holds nothing up. */
export const createDiskWatch = (tools: Pick<ContainerTools, 'diskFree'>, now: () => number) => {
  let at: number | undefined;
  let free: Promise<number | undefined> = Promise.resolve(undefined);
  return (): Promise<number | undefined> => {
    if (at === undefined || now() - at >= FRESH_MS) {
      at = now();
      free = tools.diskFree().catch(() => undefined);
    }
    return free;
  };
};
