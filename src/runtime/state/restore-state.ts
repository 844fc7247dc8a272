/** Where a start takes its state from (issue 4 point 4). Nothing is started empty, or old, for want of an answer (feature E1). */
import { readdir } from 'node:fs/promises';
import { DroverError, toDroverError } from '../../domain/errors.ts';
import { parseSnapshot, snapshotText, type RestoreReport, type SnapshotId } from '../../domain/sync-report.ts';
import type { LegacyArchive } from '../../ports/state-archives.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import { parseManifest, type StateManifest } from './manifest.ts';
import { readMarker, writeMarker, type StateMarker } from './marker.ts';
import { replaceAll, replaceStateFolder, tidyUp, unpackBeside } from './replace-tree.ts';
import { scanTree, withinLimits, WORK_FOLDER } from './scan.ts';
import { storeSnapshot, type Stored } from './store-snapshot.ts';

interface Known {
  readonly newest: StateManifest | undefined;
  readonly legacy: LegacyArchive | undefined;
  readonly choice: { readonly snapshot: SnapshotId; readonly requestId: string } | undefined;
}

const restoreFailed = (what: string, thrown: unknown): DroverError => {
  const error = toDroverError(thrown);
  if (error.code !== 'INTERNAL') return error;
  return new DroverError('STATE_RESTORE_FAILED', `${what}: ${error.message}`, { cause: thrown });
};

/** All snapshots, oldest first. @throws DroverError STATE_SUPERSEDED when a newer start has stored one */
const listOlder = async ({ archives, attempt }: StateKeeperOptions): Promise<readonly SnapshotId[]> => {
  const all = await archives.list();
  const last = all.at(-1);
  if (last !== undefined && last.attempt > attempt) {
    throw new DroverError('STATE_SUPERSEDED', `${snapshotText(last)} is newer than this start, a${String(attempt)}`);
  }
  return all;
};

/** The newest state of this incarnation. One that cannot be read is no reason to take an older one. */
const findNewest = async (
  { archives, incarnation }: StateKeeperOptions,
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

const findChoice = async (
  { archives }: StateKeeperOptions,
  marker: StateMarker | undefined,
): Promise<Known['choice']> => {
  const text = await archives.choice();
  if (text === undefined) return undefined;
  const { snapshot: name, requestId } = JSON.parse(text) as { snapshot?: string; requestId?: string };
  const snapshot = parseSnapshot(name ?? '');
  return snapshot === undefined || requestId === undefined || requestId === marker?.choice
    ? undefined
    : { snapshot, requestId };
};

export const createStateRestore = (options: StateKeeperOptions) => {
  const { archives, statePath, the0Path, limits, attempt, incarnation, tell } = options;

  const ready = (marker: Omit<StateMarker, 'phase' | 'attempt' | 'incarnation'>): void => {
    writeMarker(the0Path, { ...marker, attempt, incarnation, phase: 'ready' });
  };
  const isEmpty = async (): Promise<boolean> => (await readdir(statePath)).every((name) => name === WORK_FOLDER);

  /** What lies on the volume becomes a snapshot of its own, unless it is one already. */
  const keepFormer = async (marker: StateMarker | undefined): Promise<SnapshotId | undefined> => {
    if (marker?.phase === 'restoring' || (await isEmpty())) return undefined;
    const scan = await scanTree(statePath);
    const seen = { scan, limited: withinLimits(scan.files, limits) };
    const { snapshot } = await storeSnapshot(options, { kind: 'former', clean: false, parent: marker?.snapshot, seen });
    return snapshot;
  };

  const fromSnapshot = async (
    manifest: StateManifest,
    marker: StateMarker | undefined,
    source: 'snapshot' | 'chosen',
  ): Promise<RestoreReport> => {
    const former = await keepFormer(marker);
    const archive = await archives.open(manifest);
    const name = snapshotText(manifest);
    if (archive === undefined) throw new DroverError('STATE_RESTORE_FAILED', `${name}: its archive is gone`);
    try {
      const made = await unpackBeside(statePath, archive.content, { limits, foreign: 'refuse' });
      if (made.sha256 !== manifest.sha256) throw new Error('its SHA-256 differs from its manifest');
      if (made.tree !== manifest.tree) throw new Error('its content differs from its manifest');
      writeMarker(the0Path, { ...marker, attempt, incarnation, phase: 'restoring' });
      await replaceAll(statePath, made.folder);
    } catch (thrown) {
      throw restoreFailed(name, thrown);
    }
    const { attempt: from, sequence } = manifest;
    return {
      source,
      snapshot: { attempt: from, sequence },
      storeReachable: true,
      ...(former === undefined ? {} : { former }),
    };
  };

  const unpackLegacy = async (): Promise<string> => {
    const archive = await archives.openLegacy();
    if (archive === undefined) throw new DroverError('STATE_RESTORE_FAILED', 'state.tar.gz: it is gone');
    try {
      const { folder, skipped } = await unpackBeside(statePath, archive.content, { limits, foreign: 'skip' });
      if (skipped.length > 0) tell(`state.tar.gz: passed over ${skipped.slice(0, 10).join(', ')}`);
      return folder;
    } catch (thrown) {
      throw restoreFailed('state.tar.gz', thrown);
    }
  };

  /** (a): its `.the0-state` wins; all else, and what it replaces, stays. */
  const takeOutsideEdit = async (base: RestoreReport, etag: string): Promise<RestoreReport> => {
    const marker = readMarker(the0Path);
    const former = await keepFormer(marker);
    await replaceStateFolder(statePath, await unpackLegacy());
    // From now on it is ours: what is stored next takes its place.
    ready({ ...marker, legacyEtag: etag });
    const stored: Stored = await storeSnapshot(options, { kind: 'state', clean: false, parent: former });
    ready({ ...marker, legacyEtag: etag, snapshot: stored.snapshot, tree: stored.tree });
    await archives.promote(stored.snapshot, etag);
    return { ...base, snapshot: stored.snapshot, editedOutside: true, ...(former === undefined ? {} : { former }) };
  };

  const fromVolume = (marker: StateMarker | undefined, storeReachable: boolean): RestoreReport => ({
    source: 'volume',
    storeReachable,
    ...(marker?.snapshot === undefined ? {} : { snapshot: marker.snapshot }),
  });

  /** (b) to (e). The volume carries the result, and its marker says so. */
  const restoreBase = async ({ newest, legacy }: Known, marker: StateMarker | undefined): Promise<RestoreReport> => {
    const ours = marker?.incarnation === incarnation && marker.phase === 'ready' ? marker : undefined;
    // A start works on one volume alone: whatever it stored is at most as new as what lies there.
    const isOlder = newest !== undefined && (ours === undefined || ours.attempt < newest.attempt);
    if (ours !== undefined && !isOlder) {
      ready(ours);
      return fromVolume(ours, true);
    }
    if (newest !== undefined) {
      const report = await fromSnapshot(newest, marker, 'snapshot');
      const { attempt: from, sequence, tree } = newest;
      ready({
        snapshot: { attempt: from, sequence },
        tree,
        ...(marker?.legacyEtag === undefined ? {} : { legacyEtag: marker.legacyEtag }),
      });
      return report;
    }
    if (marker?.phase !== 'restoring' && !(await isEmpty())) {
      // A volume from before there were markers: it is newer than whatever the archive store has of others.
      ready(legacy === undefined ? {} : { legacyEtag: legacy.etag });
      return fromVolume(undefined, true);
    }
    if (legacy !== undefined && incarnation === 1) {
      const folder = await unpackLegacy();
      writeMarker(the0Path, { attempt, incarnation, phase: 'restoring' });
      await replaceAll(statePath, folder);
      ready({ legacyEtag: legacy.etag });
      return { source: 'archive', storeReachable: true };
    }
    if (legacy !== undefined) await archives.setLegacyAside();
    ready({});
    return { source: 'none', storeReachable: true };
  };

  const lookIntoStore = async (marker: StateMarker | undefined): Promise<Known> => {
    const all = await listOlder(options);
    const choice = await findChoice(options, marker);
    // Who chose one knows that the newest is of no use; it may not even be readable.
    const newest = choice === undefined ? await findNewest(options, all) : undefined;
    return { newest, legacy: await archives.legacy(), choice };
  };

  const restoreFromStore = async (known: Known, marker: StateMarker | undefined): Promise<RestoreReport> => {
    const { newest, legacy, choice } = known;
    if (choice !== undefined) {
      const text = await archives.manifest(choice.snapshot);
      if (text === undefined) {
        throw new DroverError('STATE_RESTORE_FAILED', `${snapshotText(choice.snapshot)} was chosen and is gone`);
      }
      const report = await fromSnapshot(parseManifest(choice.snapshot, text), marker, 'chosen');
      // No tree: what was chosen is stored as the newest state at once.
      ready({ choice: choice.requestId, ...(legacy === undefined ? {} : { legacyEtag: legacy.etag }) });
      const stored = await storeSnapshot(options, { kind: 'state', clean: false, parent: choice.snapshot });
      ready({
        choice: choice.requestId,
        snapshot: stored.snapshot,
        tree: stored.tree,
        ...(legacy === undefined ? {} : { legacyEtag: legacy.etag }),
      });
      await archives.promote(stored.snapshot, legacy?.etag);
      await archives.dropChoice();
      return report;
    }
    const isKnown = newest !== undefined || (marker?.incarnation === incarnation && marker.phase === 'ready');
    const base = await restoreBase(known, marker);
    const accepted = readMarker(the0Path)?.legacyEtag;
    const isEdited = legacy !== undefined && legacy.snapshot === undefined && legacy.etag !== accepted;
    return isEdited && isKnown ? takeOutsideEdit(base, legacy.etag) : base;
  };

  /** @throws DroverError STORAGE_UNAVAILABLE, STATE_RESTORE_FAILED, STATE_SUPERSEDED */
  return async (): Promise<RestoreReport> => {
    await tidyUp(statePath);
    const marker = readMarker(the0Path);
    let known: Known;
    try {
      known = await lookIntoStore(marker);
    } catch (thrown) {
      const error = toDroverError(thrown);
      if (error.code !== 'ARCHIVE_UNAVAILABLE') throw restoreFailed('the archive store', thrown);
      const usable = marker?.phase === 'ready' && marker.incarnation === incarnation;
      if (!usable) throw new DroverError('STORAGE_UNAVAILABLE', error.message, { cause: thrown });
      const report = fromVolume(marker, false);
      ready({ ...marker, restored: report });
      return report;
    }
    try {
      const report = await restoreFromStore(known, marker);
      ready({ ...readMarker(the0Path), restored: report });
      return report;
    } catch (thrown) {
      const error = restoreFailed('the state', thrown);
      // Half way through, the volume alone is no longer enough to start from.
      if (error.code === 'ARCHIVE_UNAVAILABLE')
        throw new DroverError('STORAGE_UNAVAILABLE', error.message, { cause: thrown });
      throw error;
    }
  };
};
