/** What differs on the volume is stored; what does not costs nothing (features E3, E5, E12). */
import { join } from 'node:path';
import { DroverError } from '../../domain/errors.ts';
import { snapshotText, type StateReport } from '../../domain/sync-report.ts';
import { readIndex, writeIndex, type StateIndex } from './index-file.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import { look, settled, type Seen } from './look.ts';
import { asPromoted, readMarker, writeMarker, type StateMarker } from './marker.ts';
import { tidyUp } from './replace-tree.ts';
import { storeSnapshot, type Stored } from './store-snapshot.ts';
import { EMPTY_TREE } from './tree-hash.ts';

const INDEX = 'state-index.ndjson';
const NAMED = 10;

/** @throws DroverError STATE_UNSYNCED when what lies there is not the state to go on from: it must not come after the newest one */
const requireWhole = async (
  { archives, incarnation }: StateKeeperOptions,
  marker: StateMarker | undefined,
): Promise<void> => {
  if (marker?.phase === 'restoring' || (marker !== undefined && marker.incarnation !== incarnation)) {
    throw new DroverError('STATE_UNSYNCED', 'the state on the volume is not complete: it must be restored first');
  }
  const newest = (await archives.list()).at(-1);
  if (newest !== undefined && newest.attempt > (marker?.attempt ?? 0)) {
    throw new DroverError(
      'STATE_UNSYNCED',
      `the volume is older than ${snapshotText(newest)}: its state must be restored first`,
    );
  }
};

const toReport = (
  status: StateReport['status'],
  { snapshot }: Pick<StateMarker, 'snapshot'>,
  { limited: { over } }: Seen,
  now: number,
  editedOutside: boolean,
): StateReport => ({
  status,
  at: now,
  ...(snapshot === undefined ? {} : { snapshot }),
  ...(over.length === 0 ? {} : { overLimit: over.slice(0, NAMED).map(({ path, size }) => ({ path, bytes: size })) }),
  ...(editedOutside ? { editedOutside: true } : {}),
});

/** Of what went into the snapshot; what did not hold still is read again. */
const indexOf = ({ limited }: Seen, { hashes, torn }: Stored): StateIndex => {
  const unsure = new Set(torn);
  return new Map(
    limited.kept.flatMap(({ path, stamp }) => {
      const sha256 = hashes.get(path);
      return sha256 === undefined || unsure.has(path) ? [] : [[path, { stamp, sha256 }]];
    }),
  );
};

/** @throws DroverError as {@link storeSnapshot}; STATE_UNSYNCED when the volume is half restored, or older than the newest snapshot */
export const createStateSync = (options: StateKeeperOptions) => {
  const { archives, statePath, the0Path, attempt, incarnation, now, tell } = options;
  const indexPath = join(the0Path, INDEX);
  let known: StateIndex | undefined;
  let toldSkipped = '';
  let isTidy = false;

  const tellSkipped = ({ scan: { skipped } }: Seen): void => {
    const text = skipped.join(', ').slice(0, 500);
    if (text !== toldSkipped && text !== '')
      tell(`not stored, because they are not regular files or cannot be read: ${text}`);
    toldSkipped = text;
  };
  const keepIndex = async (index: StateIndex, seen: Seen): Promise<void> => {
    known = settled(index, seen);
    await writeIndex(indexPath, known);
  };
  /** The snapshot is stored: a volume that is full may know of an older one, and the next sync finds it in the store. */
  const note = (marker: StateMarker): void => {
    try {
      writeMarker(the0Path, marker);
    } catch (thrown) {
      tell(
        `the newest snapshot could not be recorded on the volume: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      );
    }
  };
  /** False: the archive for the reference's readers was written by somebody else. */
  const promote = async (marker: StateMarker): Promise<boolean> => {
    if (marker.unpromoted === undefined || marker.snapshot === undefined) return true;
    const promoted = await archives.promote(marker.snapshot, marker.legacyEtag);
    if (promoted) note(asPromoted(marker));
    else tell('state.tar.gz was written by another program: it is not replaced, and the next start uses it');
    return promoted;
  };
  const isStored = async ({ snapshot }: StateMarker): Promise<boolean> =>
    snapshot !== undefined &&
    (await archives.manifest(snapshot)) !== undefined &&
    (await archives.sizeOf(snapshot)) !== undefined;

  return async ({ final }: { readonly final: boolean }): Promise<StateReport> => {
    const found = readMarker(the0Path);
    // This start's own restore has looked already.
    if (found?.attempt !== attempt || found.phase !== 'ready') await requireWhole(options, found);
    if (!isTidy) await tidyUp(statePath);
    isTidy = true;
    known ??= await readIndex(indexPath);
    const marker = found ?? { incarnation, attempt, phase: 'ready' as const };
    const seen = await look(options, final ? undefined : known);
    tellSkipped(seen);
    // Nothing came from anywhere, and nothing is there: a bot that keeps no state has no snapshots.
    const isFromNowhere = (marker.snapshot ?? marker.legacyEtag ?? marker.choice) === undefined;
    if (isFromNowhere && seen.tree === EMPTY_TREE) return toReport('synced', marker, seen, now(), false);
    // At the end it is also made sure that what we think is stored is.
    if (seen.tree === marker.tree && (!final || (await isStored(marker)))) {
      if (seen.read > 0) await keepIndex(seen.index, seen);
      return toReport('synced', marker, seen, now(), !(await promote(marker)));
    }
    const stored = await storeSnapshot(options, {
      kind: 'state',
      clean: final,
      parent: marker.snapshot,
      seen,
      takenOver: marker.legacyEtag,
    });
    const { snapshot, tree, torn } = stored;
    const next: StateMarker = { ...marker, attempt, incarnation, snapshot, tree, unpromoted: true };
    note(next);
    await keepIndex(indexOf(seen, stored), seen);
    const promoted = await promote(next);
    // What did not hold still wakes us again by its next change; at the end there is no later one to wait for.
    const isWhole = torn.length === 0 || !final;
    return toReport(isWhole ? 'synced' : 'pending', next, seen, now(), !promoted);
  };
};
