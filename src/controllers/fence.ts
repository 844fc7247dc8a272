/**
 * Asked before everything that changes something: may this very piece of work still be done? A turn may wait long for its
 * engine; when its term ended meanwhile, what it planned is out of date, even if this process leads again by then.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { DroverError } from '../domain/errors.ts';
import type { Leadership } from '../ports/leadership.ts';

export interface Fence {
  /** @throws DroverError LEASE_LOST: nobody leads here, or the work around this call belongs to an earlier term */
  mayAct(): void;
  /** Binds all that `work` does to this term. What acts outside of any is taken for work of this process's first one. */
  inTerm<T>(epoch: number, work: () => Promise<T>): Promise<T>;
}

/**
 * Most processes lead once and never again. Work of that first term is told by its having no mark: marks make every promise of the
 * process dearer, queries among them by a third, so they begin with the second term. It errs on the safe side:
 * once there was a second term, unmarked work is refused.
 */
export const createFence = (leadership: Leadership): Fence => {
  const terms = new AsyncLocalStorage<number>();
  let first: number | undefined;
  return {
    mayAct: () => {
      const epoch = leadership.epoch();
      const term = terms.getStore() ?? first;
      if (epoch === undefined) {
        throw new DroverError('LEASE_LOST', `this process is not the leader of ${leadership.role}`);
      }
      if (term !== undefined && term !== epoch) {
        throw new DroverError('LEASE_LOST', `this decision was made in an earlier epoch of ${leadership.role}`);
      }
    },
    inTerm: (epoch, work) => {
      first ??= epoch;
      return epoch === first ? work() : terms.run(epoch, work);
    },
  };
};
