/** The newest state in the archive store, and what it means that it cannot be had. */
import { DroverError, toDroverError } from '../../domain/errors.ts';
import type { SnapshotId } from '../../domain/sync-report.ts';
import type { StateArchives } from '../../ports/state-archives.ts';
import { parseManifest, type StateManifest } from './manifest.ts';

interface FindOptions {
  readonly archives: Pick<StateArchives, 'manifest'>;
  readonly incarnation: number;
}

const NO_SPACE: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** What is no outage is damage, and not healed by another try; but for a full disk, which says nothing of the state. */
export const restoreFailed = (what: string, thrown: unknown): DroverError => {
  const error = toDroverError(thrown);
  if (error.code !== 'INTERNAL') return error;
  const isFull = NO_SPACE.has((thrown as NodeJS.ErrnoException | undefined)?.code);
  return new DroverError(isFull ? 'HOST_PRESSURE' : 'STATE_RESTORE_FAILED', `${what}: ${error.message}`, {
    cause: thrown,
  });
};

/**
 * The newest state of this incarnation among `all`, oldest first. One that cannot be read is no reason to take an older one.
 * @throws DroverError STATE_RESTORE_FAILED
 */
export const findNewest = async (
  { archives, incarnation }: FindOptions,
  all: readonly SnapshotId[],
): Promise<StateManifest | undefined> => {
  for (const id of [...all].reverse()) {
    const text = await archives.manifest(id);
    if (text === undefined) continue;
    const manifest = parseManifest(id, text);
    // Attempts are counted over incarnations: whatever is older than an earlier incarnation's is earlier too.
    if (manifest.incarnation !== incarnation) return undefined;
    if (manifest.kind === 'state') return manifest;
  }
  return undefined;
};
