/** Tombstones keep late messages from bringing a bot back; after a month no message is that late (contract §2). */
import { toDroverError } from '../domain/errors.ts';
import type { Logger } from '../ports/logger.ts';
import { TOMBSTONE_KEPT_MS, type SpecStore } from '../ports/spec-store.ts';

const SWEEP_EVERY_MS = 3_600_000;

/** Called at each look at the fleet; sweeps at most once an hour. Never throws: it can always be done later. */
export const createTombstoneSweeper = (specs: Pick<SpecStore, 'forgetTombstones'>, logger: Logger) => {
  let sweptAt: number | undefined;
  return async (now: number): Promise<void> => {
    if (sweptAt !== undefined && now - sweptAt < SWEEP_EVERY_MS) return;
    sweptAt = now;
    try {
      await specs.forgetTombstones(now - TOMBSTONE_KEPT_MS);
    } catch (thrown) {
      logger.debug('cannot remove tombstones yet', { detail: toDroverError(thrown).message });
    }
  };
};
