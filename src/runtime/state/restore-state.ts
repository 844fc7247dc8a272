/** Where a start takes its state from. Nothing is started empty, or old, for want of an answer (feature E1). */
import { DroverError, toDroverError } from '../../domain/errors.ts';
import { snapshotText, type RestoreReport, type SnapshotId } from '../../domain/sync-report.ts';
import type { LegacyArchive } from '../../ports/state-archives.ts';
import { dropChoice, findChoice, type Choice } from './choice.ts';
import { isEmptyVolume, keepFormer } from './former.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import { look } from './look.ts';
import { limitsOf, parseManifest, type StateManifest } from './manifest.ts';
import { asPromoted, readMarker, writeMarker, type StateMarker } from './marker.ts';
import { findNewest, restoreFailed } from './newest.ts';
import { replaceAll, replaceStateFolder, settleTree, tidyUp, unpackBeside } from './replace-tree.ts';
import { storeSnapshot } from './store-snapshot.ts';

interface Known {
  readonly newest: StateManifest | undefined;
  readonly legacy: LegacyArchive | undefined;
  readonly choice: Choice | undefined;
}

export const createStateRestore = (options: StateKeeperOptions) => {
  const { archives, statePath, the0Path, limits, attempt, incarnation, tell } = options;

  const ready = (marker: Omit<StateMarker, 'phase' | 'attempt' | 'incarnation'>): StateMarker => {
    const next = { ...marker, attempt, incarnation, phase: 'ready' } as const;
    writeMarker(the0Path, next);
    return next;
  };
  const isReady = (marker: StateMarker | undefined): marker is StateMarker =>
    marker?.incarnation === incarnation && marker.phase === 'ready';

  /** What lies on the volume is stored as the newest state, and as the archive for the reference's readers. */
  const storeAtOnce = async (marker: StateMarker, parent: SnapshotId | undefined): Promise<SnapshotId> => {
    const seen = await look(options);
    const takenOver = marker.legacyEtag;
    const stored = await storeSnapshot(options, { kind: 'state', clean: false, parent, seen, takenOver });
    const next = ready({ ...marker, snapshot: stored.snapshot, tree: stored.tree, unpromoted: true });
    if (await archives.promote(stored.snapshot, takenOver)) ready(asPromoted(next));
    return stored.snapshot;
  };

  /** The volume becomes this snapshot. Nothing on it is touched before the snapshot was seen to be whole, and the former kept. */
  const fromSnapshot = async (
    manifest: StateManifest,
    marker: StateMarker | undefined,
    source: 'snapshot' | 'chosen',
  ): Promise<RestoreReport> => {
    const name = snapshotText(manifest);
    const archive = await archives.open(manifest);
    if (archive === undefined) throw new DroverError('STATE_RESTORE_FAILED', `${name}: its archive is missing`);
    let former: SnapshotId | undefined;
    try {
      const how = { limits: limitsOf(manifest), foreign: 'refuse' } as const;
      const made = await unpackBeside(statePath, archive.content, how);
      if (made.sha256 !== manifest.sha256) throw new Error('its SHA-256 differs from its manifest');
      if (made.tree !== manifest.tree) throw new Error('its content differs from its manifest');
      former = await keepFormer(options, marker);
      writeMarker(the0Path, { ...marker, attempt, incarnation, phase: 'restoring' });
      await replaceAll(statePath, made.folder);
      await settleTree(statePath);
    } catch (thrown) {
      throw restoreFailed(name, thrown);
    }
    const snapshot = { attempt: manifest.attempt, sequence: manifest.sequence };
    return { source, snapshot, storeReachable: true, ...(former === undefined ? {} : { former }) };
  };

  const unpackLegacy = async (): Promise<string> => {
    const archive = await archives.openLegacy();
    if (archive === undefined) throw new DroverError('STATE_RESTORE_FAILED', 'state.tar.gz is missing');
    try {
      const { folder, skipped } = await unpackBeside(statePath, archive.content, { limits, foreign: 'skip' });
      if (skipped.length > 0) tell(`state.tar.gz: skipped ${skipped.slice(0, 10).join(', ')}`);
      return folder;
    } catch (thrown) {
      throw restoreFailed('state.tar.gz', thrown);
    }
  };

  /** (a): its `.the0-state` wins; all else, and what it replaces, stays. */
  const takeOutsideEdit = async (base: RestoreReport, etag: string): Promise<RestoreReport> => {
    const marker = readMarker(the0Path);
    const folder = await unpackLegacy();
    const former = await keepFormer(options, marker);
    await replaceStateFolder(statePath, folder);
    await settleTree(statePath);
    // From now on it is ours: what is stored next takes its place.
    const taken = ready({ ...marker, legacyEtag: etag });
    const snapshot = await storeAtOnce(taken, former);
    return { ...base, snapshot, editedOutside: true, ...(former === undefined ? {} : { former }) };
  };

  const fromVolume = (marker: StateMarker | undefined, storeReachable: boolean): RestoreReport => ({
    source: 'volume',
    storeReachable,
    ...(marker?.snapshot === undefined ? {} : { snapshot: marker.snapshot }),
  });

  /** (b) to (e). The volume carries the result, and its marker says so. */
  const restoreBase = async ({ newest, legacy }: Known, marker: StateMarker | undefined): Promise<RestoreReport> => {
    const ours = isReady(marker) ? marker : undefined;
    // A start works on one volume alone: whatever it stored is at most as new as what lies there.
    if (ours !== undefined && (newest === undefined || ours.attempt >= newest.attempt)) {
      ready(ours);
      return fromVolume(ours, true);
    }
    if (newest !== undefined) {
      const report = await fromSnapshot(newest, marker, 'snapshot');
      const { attempt: from, sequence, tree, takenOver } = newest;
      const legacyEtag = marker?.legacyEtag ?? takenOver;
      ready({
        snapshot: { attempt: from, sequence },
        tree,
        ...(legacyEtag === undefined ? {} : { legacyEtag, unpromoted: true }),
      });
      return report;
    }
    if (marker === undefined && !(await isEmptyVolume(statePath))) {
      // A volume from before there were markers: it is newer than whatever the archive store has of others.
      ready(legacy === undefined ? {} : { legacyEtag: legacy.etag });
      return fromVolume(undefined, true);
    }
    if (legacy !== undefined && incarnation === 1) {
      const folder = await unpackLegacy();
      writeMarker(the0Path, { attempt, incarnation, phase: 'restoring' });
      await replaceAll(statePath, folder);
      await settleTree(statePath);
      ready({ legacyEtag: legacy.etag });
      return { source: 'archive', storeReachable: true };
    }
    if (marker?.phase === 'restoring') {
      throw new DroverError(
        'STATE_RESTORE_FAILED',
        'a restore was interrupted, and its source is no longer in the archive store',
      );
    }
    if (legacy !== undefined) await archives.setLegacyAside();
    ready({});
    return { source: 'none', storeReachable: true };
  };

  const lookIntoStore = async (marker: StateMarker | undefined): Promise<Known> => {
    const all = await archives.list();
    const last = all.at(-1);
    if (last !== undefined && last.attempt > attempt) {
      throw new DroverError('STATE_SUPERSEDED', `${snapshotText(last)} is newer than this start, a${String(attempt)}`);
    }
    const choice = await findChoice(options, marker);
    // Who chose one knows that the newest is of no use; it may not even be readable. Nor need it be where the volume is as new.
    const isNeeded = choice === undefined && !(isReady(marker) && marker.attempt >= (last?.attempt ?? 0));
    const newest = isNeeded ? await findNewest(options, all) : undefined;
    return { newest, legacy: await archives.legacy(), choice };
  };

  const followChoice = async (
    { snapshot, requestId }: Choice,
    { legacy }: Known,
    marker: StateMarker | undefined,
  ): Promise<RestoreReport> => {
    const text = await archives.manifest(snapshot);
    if (text === undefined) {
      throw new DroverError('STATE_RESTORE_FAILED', `the selected snapshot ${snapshotText(snapshot)} no longer exists`);
    }
    const report = await fromSnapshot(parseManifest(snapshot, text), marker, 'chosen');
    if (legacy !== undefined && legacy.snapshot === undefined) await archives.setLegacyAside();
    // No snapshot, no tree: until it is stored as the newest state, the choice counts as not followed where the volume is lost.
    const chosen = ready({ choice: requestId, restored: report });
    await storeAtOnce(chosen, snapshot);
    await dropChoice(options);
    return report;
  };

  const restoreFromStore = async (known: Known, marker: StateMarker | undefined): Promise<RestoreReport> => {
    const { newest, legacy, choice } = known;
    if (choice !== undefined) return followChoice(choice, known, marker);
    const isKnown = newest !== undefined || isReady(marker);
    const base = await restoreBase(known, marker);
    const accepted = readMarker(the0Path)?.legacyEtag;
    const isEdited = legacy !== undefined && legacy.snapshot === undefined && legacy.etag !== accepted;
    return isEdited && isKnown ? takeOutsideEdit(base, legacy.etag) : base;
  };

  /** Without the archive store: only what this volume held when it was last whole. */
  const restoreAlone = (marker: StateMarker | undefined, error: DroverError): RestoreReport => {
    if (!isReady(marker)) throw new DroverError('STORAGE_UNAVAILABLE', error.message, { cause: error });
    const report = fromVolume(marker, false);
    ready({ ...marker, restored: report });
    return report;
  };

  /** @throws DroverError STORAGE_UNAVAILABLE, STATE_RESTORE_FAILED, STATE_SUPERSEDED, HOST_PRESSURE */
  return async (): Promise<RestoreReport> => {
    await tidyUp(statePath);
    const marker = readMarker(the0Path);
    let known: Known;
    try {
      known = await lookIntoStore(marker);
    } catch (thrown) {
      const error = toDroverError(thrown);
      if (error.code === 'ARCHIVE_UNAVAILABLE') return restoreAlone(marker, error);
      throw restoreFailed('the archive store', thrown);
    }
    try {
      const report = await restoreFromStore(known, marker);
      ready({ ...readMarker(the0Path), restored: report });
      return report;
    } catch (thrown) {
      const error = restoreFailed('the state', thrown);
      // Half way through, the volume alone is no longer enough to start from.
      if (error.code !== 'ARCHIVE_UNAVAILABLE') throw error;
      throw new DroverError('STORAGE_UNAVAILABLE', error.message, { cause: thrown });
    }
  };
};
