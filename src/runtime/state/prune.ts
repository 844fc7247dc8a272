/** Old snapshots go, and what was never finished (feature E10). */
import type { SnapshotId } from '../../domain/sync-report.ts';
import { compareSnapshots } from '../../ports/state-archives.ts';
import { wantedSnapshot } from './choice.ts';
import type { StateKeeperOptions } from './keeper-options.ts';

/** `all`: oldest first, with `newest`, which stays. Never throws: they are in nobody's way, the next snapshot tries again. */
export const prune = async (
  { archives, keep, tell }: StateKeeperOptions,
  all: readonly SnapshotId[],
  newest: SnapshotId,
): Promise<void> => {
  try {
    const old = all.slice(0, Math.max(0, all.length - Math.max(1, keep)));
    const wanted = old.length === 0 ? undefined : await wantedSnapshot(archives);
    for (const id of old) {
      if (wanted === undefined || compareSnapshots(id, wanted) !== 0) await archives.remove(id);
    }
    // The first one of a start: what the starts before it left unfinished is nobody's any more.
    if (newest.sequence !== 1) return;
    for (const id of await archives.strays()) {
      if (id.attempt < newest.attempt) await archives.remove(id);
    }
  } catch (thrown) {
    tell(`old snapshots could not be removed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
};
