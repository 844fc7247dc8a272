/** One snapshot into the archive store: uploaded, verified, announced by its manifest; the oldest ones go (features E2–E4). */
import { DroverError } from '../../domain/errors.ts';
import { snapshotText, type SnapshotId } from '../../domain/sync-report.ts';
import { compareSnapshots } from '../../ports/state-archives.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import type { StateManifest } from './manifest.ts';
import { packState, type Packed } from './pack-state.ts';
import { scanTree, withinLimits, type Limited, type Scan } from './scan.ts';

export interface StoreRequest {
  readonly kind: StateManifest['kind'];
  readonly clean: boolean;
  readonly parent: SnapshotId | undefined;
  /** What is on the volume, when it was just looked at. */
  readonly seen?: { readonly scan: Scan; readonly limited: Limited };
}

export interface Stored extends Packed {
  readonly snapshot: SnapshotId;
}

const unsynced = (id: SnapshotId, why: string): DroverError =>
  new DroverError('STATE_UNSYNCED', `${snapshotText(id)}: ${why}`);

/**
 * The number of the next snapshot of this start.
 * @throws DroverError STATE_SUPERSEDED when a newer start has stored state: ours must never come after it
 */
export const nextSnapshot = async ({ archives, attempt }: StateKeeperOptions): Promise<SnapshotId> => {
  const newest = (await archives.list()).at(-1);
  if (newest !== undefined && newest.attempt > attempt) {
    throw new DroverError('STATE_SUPERSEDED', `${snapshotText(newest)} is newer than this start, a${String(attempt)}`);
  }
  return { attempt, sequence: newest?.attempt === attempt ? newest.sequence + 1 : 1 };
};

const prune = async ({ archives, keep, tell }: StateKeeperOptions): Promise<void> => {
  try {
    const all = await archives.list();
    for (const old of all.slice(0, Math.max(0, all.length - Math.max(1, keep)))) await archives.remove(old);
  } catch (thrown) {
    // They are in nobody's way: the next snapshot tries again.
    tell(`old snapshots stay for now: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
};

/** @throws DroverError ARCHIVE_UNAVAILABLE, ARCHIVE_FORBIDDEN, STATE_SUPERSEDED, STATE_UNSYNCED */
export const storeSnapshot = async (options: StateKeeperOptions, request: StoreRequest): Promise<Stored> => {
  const { archives, statePath, limits, incarnation, now } = options;
  const snapshot = await nextSnapshot(options);
  const scan = request.seen?.scan ?? (await scanTree(statePath));
  const limited = request.seen?.limited ?? withinLimits(scan.files, limits);
  const { content, packed } = packState(statePath, scan, limited, limits.fileBytes);
  await archives.put(snapshot, content);
  const made = await packed;
  const stored = await archives.sizeOf(snapshot);
  if (stored !== made.size) {
    throw unsynced(snapshot, `${String(stored ?? 0)} of ${String(made.size)} bytes are in the archive store`);
  }
  const manifest: StateManifest = {
    schema: 1,
    ...snapshot,
    incarnation,
    sha256: made.sha256,
    size: made.size,
    tree: made.tree,
    files: made.files,
    bytes: made.bytes,
    kind: request.kind,
    clean: request.clean,
    createdAt: new Date(now()).toISOString(),
    ...(request.parent === undefined ? {} : { parent: request.parent }),
    ...(made.torn.length === 0 ? {} : { torn: made.torn.slice(0, 100) }),
  };
  const text = JSON.stringify(manifest);
  await archives.putManifest(snapshot, text);
  if ((await archives.manifest(snapshot)) !== text) throw unsynced(snapshot, 'its manifest does not read back');
  const newest = (await archives.list()).at(-1);
  if (newest !== undefined && compareSnapshots(newest, snapshot) > 0) {
    throw new DroverError('STATE_SUPERSEDED', `${snapshotText(newest)} was stored meanwhile`);
  }
  await prune(options);
  return { ...made, snapshot };
};
