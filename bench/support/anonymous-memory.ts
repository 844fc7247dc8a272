/** Anonymous memory of a process of a container as the kernel of this host counts it. */
import { readFileSync } from 'node:fs';

/** Bytes; 0 for a process that is gone. */
export const anonymousOf = (pid: string): number => {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    return Number(/^Anonymous:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024;
  } catch {
    return 0;
  }
};
