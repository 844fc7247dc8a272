/** Keeps one bot's state: restored before the start, stored whenever it differs, never torn, never older over newer. */
import type { RestoreReport, StateReport } from '../../domain/sync-report.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import { createStateRestore } from './restore-state.ts';
import { createStateSync } from './sync-state.ts';

export interface StateKeeper {
  /** @throws DroverError STORAGE_UNAVAILABLE, STATE_RESTORE_FAILED, STATE_SUPERSEDED: then nothing may start */
  restore(): Promise<RestoreReport>;
  /** `final`: all content is read, not only what looks different. @throws DroverError ARCHIVE_UNAVAILABLE, STATE_SUPERSEDED … */
  sync(options: { readonly final: boolean }): Promise<StateReport>;
}

export const createStateKeeper = (options: StateKeeperOptions): StateKeeper => ({
  restore: createStateRestore(options),
  sync: createStateSync(options),
});
