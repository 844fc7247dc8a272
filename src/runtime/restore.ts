/** The state of the bot, restored by the transfer process: its client of the archive store is gone again when the bot runs. */
import { DroverError } from '../domain/errors.ts';
import { openTransfer } from './transfer/client.ts';

/** Beside this program in the image. */
const ENTRY = '/app/transfer.cjs';
/** A state may be of 8 GiB; silence is noticed much earlier, by whoever reads it. */
const TIMEOUT_MS = 3_600_000;

/** @throws DroverError STORAGE_UNAVAILABLE, STATE_RESTORE_FAILED, STATE_SUPERSEDED */
export const restoreState = async (env: NodeJS.ProcessEnv): Promise<void> => {
  const transfer = openTransfer({ entry: ENTRY, env, idleMs: 1 });
  try {
    const result = await transfer.ask({ kind: 'restore' }, TIMEOUT_MS);
    if (result.kind === 'failed') throw new DroverError(result.error.code, result.error.detail);
  } finally {
    await transfer.close();
  }
};
