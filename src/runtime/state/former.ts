/** What lies on the volume, kept as a snapshot before it is replaced (feature E11). */
import { readdir } from 'node:fs/promises';
import type { SnapshotId } from '../../domain/sync-report.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import { look } from './look.ts';
import { parseManifest } from './manifest.ts';
import type { StateMarker } from './marker.ts';
import { WORK_FOLDER } from './scan.ts';
import { storeSnapshot } from './store-snapshot.ts';

export const isEmptyVolume = async (statePath: string): Promise<boolean> =>
  (await readdir(statePath)).every((name) => name === WORK_FOLDER);

/** The snapshot that holds this very tree, so that a start that is tried again and again stores it once. */
const findSame = async ({ archives }: StateKeeperOptions, tree: string): Promise<SnapshotId | undefined> => {
  for (const id of [...(await archives.list())].reverse()) {
    const text = await archives.manifest(id);
    if (text === undefined) continue;
    try {
      const manifest = parseManifest(id, text);
      if (manifest.tree === tree && (await archives.sizeOf(id)) === manifest.size) return id;
    } catch {
      // A damaged one holds nothing.
    }
  }
  return undefined;
};

/** Resolves with the snapshot that holds it; undefined when there is nothing, or half a thing. @throws as {@link storeSnapshot} */
export const keepFormer = async (
  options: StateKeeperOptions,
  marker: StateMarker | undefined,
): Promise<SnapshotId | undefined> => {
  if (marker?.phase === 'restoring' || (await isEmptyVolume(options.statePath))) return undefined;
  const seen = await look(options);
  const same = await findSame(options, seen.tree);
  if (same !== undefined) return same;
  return (await storeSnapshot(options, { kind: 'former', clean: false, parent: marker?.snapshot, seen })).snapshot;
};
