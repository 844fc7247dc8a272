/** One process holds the data folder, so it leads: the kernel's lock is the lease, and every opening a new epoch. */
import type { Leadership } from '../../ports/leadership.ts';

export const createSoleLeadership = (role: string, holder: string, epoch: number): Leadership => {
  const listeners = new Set<(leads: boolean) => void>();
  let started = false;
  return {
    role,
    epoch: () => (started ? epoch : undefined),
    term: () => (started ? epoch : undefined),
    holder: () => holder,
    isHeld: () => started,
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    start: () => {
      if (started) return;
      started = true;
      for (const listener of [...listeners]) listener(true);
    },
    stop: () => {
      started = false;
      return Promise.resolve();
    },
  };
};
