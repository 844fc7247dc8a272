/** How often the kernel killed in our cgroup for want of memory. Version 2 and 1 of cgroups say it in different files. */
import { readFileSync } from 'node:fs';

const FILES = ['/sys/fs/cgroup/memory.events', '/sys/fs/cgroup/memory/memory.oom_control'] as const;

/** The `oom_kill` line of either file. */
export const parseOomKills = (text: string): number | undefined => {
  const found = /^oom_kill (\d+)$/m.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
};

/** Undefined when the container cannot see its cgroup. */
export const readOomKills = (): number | undefined => {
  for (const file of FILES) {
    try {
      const count = parseOomKills(readFileSync(file, 'utf8'));
      if (count !== undefined) return count;
    } catch {
      // The other version, or none.
    }
  }
  return undefined;
};
