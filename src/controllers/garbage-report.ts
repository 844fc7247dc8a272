/** What a sweep saw and did, as data: for the table, for programs and for the log. */
import type { SweptBucket } from '../domain/garbage.ts';

/** `waits`: within its grace. `cameBack`: wished again just before it would have gone. `left`: the sweep ended before it. */
export type GarbageFate = 'removed' | 'wouldRemove' | 'waits' | 'refused' | 'cameBack' | 'failed' | 'left';

export interface GarbageItem {
  readonly kind: 'orphan' | 'temporary' | 'upload';
  /** The id of an orphan, else `bucket/key`. */
  readonly name: string;
  readonly fate: GarbageFate;
  readonly objects: number;
  readonly bytes: number;
  /** When its grace ends, epoch milliseconds; of those that wait. */
  readonly until?: number;
  readonly why?: string;
}

export interface GarbageReport {
  readonly dryRun: boolean;
  readonly installId: string;
  /** What was looked at. */
  readonly objects: number;
  readonly ids: number;
  readonly wished: number;
  readonly items: readonly GarbageItem[];
  /** What could not be done, one sentence each; empty when all is well. */
  readonly problems: readonly string[];
}

/** Everything in the two buckets, added up. */
export interface Surveyed {
  readonly objects: number;
  readonly byId: ReadonlyMap<string, { readonly objects: number; readonly bytes: number }>;
  readonly temporary: readonly { readonly bucket: SweptBucket; readonly key: string; readonly size: number }[];
}
