/** What a query leaves behind: the next one must not see it (issue 6 point 4). */
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { killStrangers } from '../kill-strangers.ts';

/** Where a program of a container whose root is read-only can write, besides its own code. */
const PLACES = ['/query', '/tmp', '/dev/shm'] as const;
const PASSES = 200;

/** Resolves once nothing runs any more but us and `kept`: a process that was killed needs a moment to be gone. */
export const killLeftovers = async (kept: readonly (number | undefined)[]): Promise<void> => {
  for (let pass = 0; pass < PASSES; pass += 1) {
    if (killStrangers(kept) === 0) return;
    await sleep(1);
  }
};

const unlock = (path: string): void => {
  if (!lstatSync(path).isDirectory()) return;
  chmodSync(path, 0o700);
  for (const name of readdirSync(path)) unlock(join(path, name));
};

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** @throws as the file system does, for what cannot be removed even by its owner */
export const removeLeftovers = (places: readonly string[] = PLACES): void => {
  for (const place of places) {
    for (const name of namesIn(place)) {
      const path = join(place, name);
      try {
        rmSync(path, { recursive: true, force: true });
      } catch {
        // A folder that its own owner may not enter.
        unlock(path);
        rmSync(path, { recursive: true, force: true });
      }
    }
  }
};
