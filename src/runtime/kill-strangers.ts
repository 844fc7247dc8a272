/** Ends what a bot left behind outside its process group, so that nothing writes state any more when it is stored. */
import { readdirSync, readFileSync } from 'node:fs';

const parentOf = (pid: number): number | undefined => {
  try {
    // The name in parentheses may hold anything; what follows the last one are numbers.
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
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

/** SIGKILL to every process of this container but PID 1, us, and `kept` with their descendants. Never throws. */
export const killStrangers = (kept: readonly (number | undefined)[]): void => {
  const ours = new Set([1, process.pid, ...kept.filter((pid) => pid !== undefined)]);
  const parents = new Map(pids().map((pid) => [pid, parentOf(pid)] as const));
  const isKept = (pid: number): boolean => {
    if (ours.has(pid)) return true;
    for (let at = parents.get(pid); at !== undefined && at > 1 && at !== process.pid; at = parents.get(at)) {
      if (ours.has(at)) return true;
    }
    return false;
  };
  for (const [pid, parent] of parents) {
    if (parent === undefined || isKept(pid)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
};
