/** The tree on the volume as it is now: what counts, what is over the limits, and the hash of it all. */
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { StateIndex } from './index-file.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import { hashFile } from './read-file.ts';
import { scanTree, withinLimits, type Limited, type Scan } from './scan.ts';
import { createTreeHash } from './tree-hash.ts';

export interface Seen {
  readonly scan: Scan;
  readonly limited: Limited;
  readonly tree: string;
  readonly index: StateIndex;
  /** Files whose content was read. */
  readonly read: number;
}

/** Then whatever else waits has its turn. */
const FILES_AT_ONCE = 64;
const NOTHING_KNOWN: StateIndex = new Map();

/** Content is read where the stamp differs from what is known. */
export const look = async (
  { statePath, limits }: Pick<StateKeeperOptions, 'statePath' | 'limits'>,
  known: StateIndex = NOTHING_KNOWN,
): Promise<Seen> => {
  const scan = await scanTree(statePath);
  const limited = withinLimits(scan.files, limits);
  const index = new Map<string, { stamp: string; sha256: string }>();
  const tree = createTreeHash();
  let read = 0;
  for (const path of scan.folders) tree.folder(path);
  for (const { path, stamp } of limited.kept) {
    const before = known.get(path);
    if (before?.stamp !== stamp && (read += 1) % FILES_AT_ONCE === 0) await setImmediate();
    const sha256 = before?.stamp === stamp ? before.sha256 : hashFile(join(statePath, path));
    if (sha256 === undefined) continue;
    tree.file(path, sha256);
    index.set(path, { stamp, sha256 });
  }
  return { scan, limited, tree: tree.digest(), index, read };
};

/** Those whose stamp tells the next change: two writes within one tick of the file system's clock have the same one. */
export const settled = (index: StateIndex, { limited }: Seen): StateIndex => {
  const unsettled = limited.kept.filter(({ isSettled }) => !isSettled);
  if (unsettled.length === 0) return index;
  const rest = new Map(index);
  for (const { path } of unsettled) rest.delete(path);
  return rest;
};
