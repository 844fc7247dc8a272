/**
 * The state for a query: seen as it is, nothing stored, nothing changed. What comes from the archive store is brought by the
 * transfer process, with keys that are handed to it alone; it is gone before code of the bot runs.
 */
import { readdirSync } from 'node:fs';
import { assertNever, DroverError } from '../domain/errors.ts';
import type { QueryStateSource } from '../domain/query-frames.ts';
import type { StoreAccess } from '../domain/store-access.ts';
import { readTransferConfig } from './config.ts';
import { WORK_FOLDER } from './state/scan.ts';
import { openTransfer } from './transfer/client.ts';

/** Beside this program in the image. */
const ENTRY = '/app/transfer.cjs';
/** A state may be of 8 GiB; whoever asks has a deadline of its own. */
const TIMEOUT_MS = 3_600_000;

const namesIn = (statePath: string): readonly string[] => {
  try {
    return readdirSync(statePath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

const fromVolume = (names: readonly string[]): string => {
  if (names.includes(WORK_FOLDER)) {
    throw new DroverError('STATE_UNSETTLED', 'a restore on the volume of the bot is in progress or was interrupted');
  }
  return 'volume';
};

/** `access` undefined: as it was delivered into the container. */
const fromStore = async (
  env: NodeJS.ProcessEnv,
  source: Exclude<QueryStateSource, { kind: 'volume' }>,
  access: StoreAccess | undefined,
): Promise<string> => {
  const transfer = openTransfer({ entry: ENTRY, env, idleMs: 1 });
  try {
    const job = { kind: 'view', source, ...(access === undefined ? {} : { access }) } as const;
    const result = await transfer.ask(job, TIMEOUT_MS);
    if (result.kind === 'view') return result.state;
    if (result.kind !== 'failed') throw new DroverError('INTERNAL', `the transfer process answered ${result.kind}`);
    const { code, detail } = result.error;
    // It died: nothing was to be stored, and it may be there next time.
    throw new DroverError(code === 'STATE_UNSYNCED' ? 'STORAGE_UNAVAILABLE' : code, detail);
  } finally {
    await transfer.close();
  }
};

/**
 * Resolves with what is seen: `volume`, `none`, `archive`, or a snapshot such as `a3/s7`.
 * @throws DroverError STORAGE_UNAVAILABLE, STATE_RESTORE_FAILED, SNAPSHOT_NOT_FOUND, STATE_UNSETTLED, HOST_PRESSURE
 */
export const placeState = async (
  env: NodeJS.ProcessEnv,
  source: QueryStateSource,
  access?: StoreAccess,
): Promise<string> => {
  switch (source.kind) {
    case 'volume':
      return fromVolume(namesIn(readTransferConfig(env).statePath));
    case 'newest':
    case 'time':
    case 'snapshot':
      return fromStore(env, source, access);
    default:
      return assertNever(source);
  }
};

/** For a container that somebody else made: what lies there already is left as it is. @throws as {@link placeState} */
export const placeStateIfAbsent = async (env: NodeJS.ProcessEnv): Promise<string> => {
  const names = namesIn(readTransferConfig(env).statePath);
  return names.length > 0 ? fromVolume(names) : placeState(env, { kind: 'newest' });
};
