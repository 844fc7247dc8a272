/** One snapshot into the archive store: uploaded, verified, announced by its manifest; the oldest ones go (features E2–E4). */
import { DroverError } from '../../domain/errors.ts';
import { snapshotText, type SnapshotId } from '../../domain/sync-report.ts';
import { compareSnapshots } from '../../ports/state-archives.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import type { Seen } from './look.ts';
import { parseManifest, type StateManifest } from './manifest.ts';
import { packState, type Packed } from './pack-state.ts';
import { prune } from './prune.ts';

export interface StoreRequest {
  readonly kind: StateManifest['kind'];
  readonly clean: boolean;
  readonly parent: SnapshotId | undefined;
  /** What was just seen on the volume. */
  readonly seen: Seen;
  /** Etag of the archive of others that this state already contains. */
  readonly takenOver?: string | undefined;
}

export interface Stored extends Pick<Packed, 'tree' | 'torn' | 'hashes'> {
  readonly snapshot: SnapshotId;
}

const NAMED = 10;

const unsynced = (id: SnapshotId, why: string): DroverError =>
  new DroverError('STATE_UNSYNCED', `${snapshotText(id)}: ${why}`);

/** What an earlier try stored, and could not note on the volume: a full disk must not push all history out of the store. */
const storedAlready = async (
  { archives, attempt, incarnation }: StateKeeperOptions,
  { kind, parent, seen }: StoreRequest,
  newest: SnapshotId | undefined,
): Promise<Stored | undefined> => {
  if (kind !== 'state' || newest?.attempt !== attempt) return undefined;
  if (parent !== undefined && compareSnapshots(newest, parent) === 0) return undefined;
  const text = await archives.manifest(newest);
  let manifest: StateManifest;
  try {
    manifest = parseManifest(newest, text ?? '');
  } catch {
    return undefined;
  }
  const isSame = manifest.kind === kind && manifest.incarnation === incarnation && manifest.tree === seen.tree;
  if (!isSame || (await archives.sizeOf(newest)) !== manifest.size) return undefined;
  const hashes = new Map([...seen.index].map(([path, { sha256 }]) => [path, sha256]));
  return { snapshot: newest, tree: manifest.tree, torn: [], hashes };
};

/** @throws DroverError ARCHIVE_UNAVAILABLE, ARCHIVE_FORBIDDEN, STATE_SUPERSEDED, STATE_UNSYNCED */
export const storeSnapshot = async (options: StateKeeperOptions, request: StoreRequest): Promise<Stored> => {
  const { archives, statePath, limits, incarnation, attempt, now } = options;
  const { kind, clean, parent, seen, takenOver } = request;
  const last = (await archives.list()).at(-1);
  if (last !== undefined && last.attempt > attempt) {
    throw new DroverError('STATE_SUPERSEDED', `${snapshotText(last)} is newer than this start, a${String(attempt)}`);
  }
  const already = await storedAlready(options, request, last);
  if (already !== undefined) return already;
  const snapshot = { attempt, sequence: last?.attempt === attempt ? last.sequence + 1 : 1 };
  const { content, packed } = packState(statePath, seen.scan, seen.limited, limits.fileBytes);
  await archives.put(snapshot, content);
  const made = await packed;
  const stored = await archives.sizeOf(snapshot);
  if (stored !== made.size) {
    throw unsynced(snapshot, `${String(stored ?? 0)} of ${String(made.size)} bytes are in the archive store`);
  }
  const over = seen.limited.over.slice(0, NAMED).map(({ path, size }) => ({ path, bytes: size }));
  const manifest: StateManifest = {
    schema: 1,
    ...snapshot,
    incarnation,
    sha256: made.sha256,
    size: made.size,
    tree: made.tree,
    files: made.files,
    bytes: made.bytes,
    kind,
    clean,
    createdAt: new Date(now()).toISOString(),
    ...(parent === undefined ? {} : { parent }),
    ...(made.torn.length === 0 ? {} : { torn: made.torn.slice(0, 100) }),
    ...(over.length === 0 ? {} : { overLimit: over }),
    ...(takenOver === undefined ? {} : { takenOver }),
  };
  const text = JSON.stringify(manifest);
  await archives.putManifest(snapshot, text);
  if ((await archives.manifest(snapshot)) !== text) throw unsynced(snapshot, 'its manifest could not be read back');
  const all = await archives.list();
  const newest = all.at(-1);
  if (newest !== undefined && compareSnapshots(newest, snapshot) > 0) {
    throw new DroverError('STATE_SUPERSEDED', `the newer snapshot ${snapshotText(newest)} was stored at the same time`);
  }
  // Before a tree is replaced nothing goes: what is to come in its place may be the oldest one.
  if (kind === 'state') await prune(options, all, snapshot);
  return { ...made, snapshot };
};
