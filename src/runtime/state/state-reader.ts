/**
 * The state as a run sees it beside another one of its schedule that writes it: as it lies on the volume, mounted read-only.
 * Nothing is restored, nothing is stored.
 */
import type { RestoreReport } from '../../domain/sync-report.ts';
import { writeMarker } from './marker.ts';
import type { StateKeeper } from './state-keeper.ts';

export interface StateReaderOptions {
  readonly the0Path: string;
  readonly incarnation: number;
  readonly attempt: number;
  readonly now: () => number;
}

export const createStateReader = ({ the0Path, incarnation, attempt, now }: StateReaderOptions): StateKeeper => ({
  restore: () => {
    const restored: RestoreReport = { source: 'volume', storeReachable: true };
    // On a volume of its own: only where the report finds what this start began with.
    writeMarker(the0Path, { incarnation, attempt, phase: 'ready', restored });
    return Promise.resolve(restored);
  },
  sync: () => Promise.resolve({ status: 'synced', at: now() }),
});
