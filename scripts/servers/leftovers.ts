/** What is left in the cache by a process that was killed while it made something there. */
import { readdir, readlink, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cacheFolder, type Machine } from '../machine.ts';

/** Whatever is younger may still be at work: nothing that is made here takes that long. */
const ABANDONED_MS = 24 * 3_600_000;

/** Programs are built, and packages unpacked, aside. */
export const BUILDING = '.building-';
export const UNPACKING = '.unpacking-';

const isAside = (name: string): boolean => name.startsWith(BUILDING) || name.startsWith(UNPACKING);

const isAbandoned = async (path: string): Promise<boolean> => {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ABANDONED_MS;
};

/** `place.` and six letters: an installation which the link `place` does not name, or not any more. */
const isUnlinked = (name: string, names: readonly string[], inUse: ReadonlySet<string>): boolean => {
  const [, place] = /^(.+)\.\w{6}$/.exec(name) ?? [];
  return place !== undefined && names.includes(place) && !inUse.has(name);
};

/** Never rejects: what cannot be removed does no harm. */
export const dropLeftovers = async (machine: Machine): Promise<void> => {
  const cache = cacheFolder(machine);
  for (const folder of [cache, join(cache, 'tools')]) {
    const names = await readdir(folder).catch((): string[] => []);
    const links = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
    const inUse = new Set(links.map((target) => basename(target)));
    for (const name of names) {
      const path = join(folder, name);
      if ((isAside(name) || isUnlinked(name, names, inUse)) && (await isAbandoned(path))) {
        await rm(path, { recursive: true, force: true }).catch(() => undefined);
      }
    }
  }
};
