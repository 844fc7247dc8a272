/** One look at everything in the logs and state buckets: who owns how much, and which chunks were left behind. */
import { ownerOfKey, type SweptBucket } from '../domain/garbage.ts';
import type { ObjectSweeper } from '../ports/object-sweeper.ts';
import type { Surveyed } from './garbage-report.ts';

export const SWEPT: readonly SweptBucket[] = ['logs', 'state'];

/** Chunks and uploads older than this belong to nobody at work any more (contract §9.4), milliseconds. */
export const STALE_MS = 3_600_000;

export interface SurveyOptions {
  readonly sweeper: ObjectSweeper;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly signal: AbortSignal;
  readonly onProgress: (objects: number) => void;
}

/** Keeps ids in memory, not keys. @throws DroverError when any page could not be had: then nobody knows what is there */
export const surveyBuckets = async ({ sweeper, now, signal, onProgress }: SurveyOptions): Promise<Surveyed> => {
  const byId = new Map<string, { objects: number; bytes: number }>();
  const temporary: { bucket: SweptBucket; key: string; size: number }[] = [];
  let objects = 0;
  for (const bucket of SWEPT) {
    for await (const page of sweeper.objects(bucket, bucket === 'logs' ? 'logs/' : '')) {
      signal.throwIfAborted();
      objects += page.length;
      for (const { key, size, modified } of page) {
        const owned = ownerOfKey(bucket, key);
        if (owned === undefined) continue;
        if (owned.temporary && now - modified > STALE_MS) {
          temporary.push({ bucket, key, size });
          continue;
        }
        const sum = byId.get(owned.id) ?? { objects: 0, bytes: 0 };
        sum.objects += 1;
        sum.bytes += size;
        byId.set(owned.id, sum);
      }
      onProgress(objects);
    }
  }
  return { objects, byId, temporary };
};
