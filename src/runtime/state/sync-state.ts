/** What differs on the volume is stored; what does not costs nothing (issue 4 point 4, features E3, E5, E12). */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { StateReport } from '../../domain/sync-report.ts';
import { readIndex, writeIndex, type StateIndex } from './index-file.ts';
import type { StateKeeperOptions } from './keeper-options.ts';
import { readMarker, writeMarker, type StateMarker } from './marker.ts';
import { scanTree, withinLimits, type Limited, type Scan } from './scan.ts';
import { storeSnapshot } from './store-snapshot.ts';
import { createTreeHash, EMPTY_TREE } from './tree-hash.ts';

const INDEX = 'state-index.ndjson';
const NAMED = 10;

const hashFile = async (path: string): Promise<string | undefined> => {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
    return hash.digest('hex');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw thrown;
  }
};

interface Seen {
  readonly scan: Scan;
  readonly limited: Limited;
  readonly tree: string;
  readonly index: StateIndex;
}

/** The tree as it is: content is read where the stamp differs, or everywhere when `all`. */
const look = async ({ statePath, limits }: StateKeeperOptions, known: StateIndex, all: boolean): Promise<Seen> => {
  const scan = await scanTree(statePath);
  const limited = withinLimits(scan.files, limits);
  const index = new Map<string, { stamp: string; sha256: string }>();
  const tree = createTreeHash();
  for (const path of scan.folders) tree.folder(path);
  for (const { path, stamp } of limited.kept) {
    const before = known.get(path);
    const same = !all && before?.stamp === stamp ? before.sha256 : undefined;
    const sha256 = same ?? (await hashFile(join(statePath, path)));
    if (sha256 === undefined) continue;
    tree.file(path, sha256);
    index.set(path, { stamp, sha256 });
  }
  return { scan, limited, tree: tree.digest(), index };
};

const reportOf = (
  status: StateReport['status'],
  { snapshot }: Pick<StateMarker, 'snapshot'>,
  { over }: Limited,
  now: number,
  editedOutside: boolean,
): StateReport => ({
  status,
  at: now,
  ...(snapshot === undefined ? {} : { snapshot }),
  ...(over.length === 0 ? {} : { overLimit: over.slice(0, NAMED).map(({ path, size }) => ({ path, bytes: size })) }),
  ...(editedOutside ? { editedOutside: true } : {}),
});

/**
 * @throws DroverError STATE_RESTORE_FAILED when the volume was never made whole; and as {@link storeSnapshot}
 */
export const createStateSync = (options: StateKeeperOptions) => {
  const { archives, the0Path, attempt, incarnation, now, tell } = options;
  const indexPath = join(the0Path, INDEX);
  let known: StateIndex | undefined;
  let told = '';

  const tellSkipped = ({ skipped }: Scan): void => {
    const text = skipped.join(', ');
    if (text !== told && text !== '') tell(`not stored, because they are no files: ${text.slice(0, 500)}`);
    told = text;
  };

  return async ({ final }: { readonly final: boolean }): Promise<StateReport> => {
    known ??= await readIndex(indexPath);
    const marker = readMarker(the0Path) ?? { incarnation, attempt, phase: 'ready' as const };
    const seen = await look(options, known, final);
    tellSkipped(seen.scan);
    const isFirst = marker.snapshot === undefined && seen.tree === EMPTY_TREE;
    if (isFirst || seen.tree === marker.tree) {
      // Unchanged: at the end it is also made sure that what we think is stored is.
      const stored =
        !final || marker.snapshot === undefined || (await archives.manifest(marker.snapshot)) !== undefined;
      if (stored) {
        known = seen.index;
        return reportOf('synced', marker, seen.limited, now(), false);
      }
    }
    const made = await storeSnapshot(options, {
      kind: 'state',
      clean: final,
      parent: marker.snapshot,
      seen,
    });
    const next: StateMarker = { ...marker, attempt, incarnation, snapshot: made.snapshot, tree: made.tree };
    writeMarker(the0Path, next);
    known = new Map(
      seen.limited.kept.flatMap(({ path, stamp }) => {
        const sha256 = made.hashes.get(path);
        return sha256 === undefined || made.torn.includes(path) ? [] : [[path, { stamp, sha256 }]];
      }),
    );
    await writeIndex(indexPath, known);
    const promoted = await archives.promote(made.snapshot, marker.legacyEtag);
    if (!promoted) tell('state.tar.gz was written by somebody else: it stays, and wins at the next start');
    // What did not hold still wakes us again by its next change; at the end there is no later one to wait for.
    const isWhole = made.torn.length === 0 || !final;
    return reportOf(isWhole ? 'synced' : 'pending', next, seen.limited, now(), !promoted);
  };
};
