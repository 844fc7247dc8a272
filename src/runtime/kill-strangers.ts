/** Ends what a bot left behind outside its process group, so that nothing writes state any more when it is stored. */
import { readdirSync, readFileSync } from 'node:fs';

/** Its parent; undefined for one that is gone, and for one that has ended and only waits to be reaped. */
const parentOf = (pid: number): number | undefined => {
  try {
    // The name in parentheses may hold anything; what follows the last one are a letter and numbers.
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' || state === 'X' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
};

const pids = (): number[] => {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
};

/**
 * SIGKILL to every process of this container but PID 1, us, and `kept` with their descendants. Says how many there were: they
 * are gone a moment later. Never throws.
 */
export const killStrangers = (kept: readonly (number | undefined)[]): number => {
  const ours = new Set([1, process.pid, ...kept.filter((pid) => pid !== undefined)]);
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)] as const));
  const isKept = (pid: number): boolean => {
    if (ours.has(pid)) return true;
    for (let at = parents.get(pid); at !== undefined && at > 1 && at !== process.pid; at = parents.get(at)) {
      if (ours.has(at)) return true;
    }
    return false;
  };
  let found = 0;
  for (const [pid, parent] of parents) {
    if (parent === undefined || isKept(pid)) continue;
    found += 1;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
};
