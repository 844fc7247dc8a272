/**
 * Asked before everything that changes something: may this very piece of work still be done? A turn may wait long for its
 * engine; when its term ended meanwhile, what it planned is out of date, even if this process leads again by then.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { DroverError } from '../domain/errors.ts';
import type { Leadership } from '../ports/leadership.ts';

export interface Fence {
  /** @throws DroverError LEASE_LOST */
  mayAct(): void;
  /** Binds all that `work` does to this term. */
  inTerm<T>(epoch: number, work: () => Promise<T>): Promise<T>;
}

export const createFence = (leadership: Leadership): Fence => {
  const terms = new AsyncLocalStorage<number>();
  return {
    mayAct: () => {
      const epoch = leadership.epoch();
      const term = terms.getStore();
      if (epoch === undefined) {
        throw new DroverError('LEASE_LOST', `this process does not lead as ${leadership.role}`);
      }
      if (term !== undefined && term !== epoch) {
        throw new DroverError('LEASE_LOST', `this was decided in an earlier term as ${leadership.role}`);
      }
    },
    inTerm: (epoch, work) => terms.run(epoch, work),
  };
};
