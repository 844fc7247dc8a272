/** The buckets of contract §4: made when missing, looked for once and again after something went wrong. */
import type { Client } from 'minio';
import type { Endpoint } from './endpoint.ts';
import { Refusal } from './refusal.ts';
import { toArchiveError } from './to-archive-error.ts';

export interface BucketNames {
  readonly code: string;
  readonly state: string;
  readonly logs: string;
  readonly queryResults: string;
}

export interface Buckets {
  /** Resolves once all are there. Many callers at once share one look. */
  ensure(): Promise<void>;
  /** The next `ensure` looks again. */
  forget(): void;
}

/** Somebody else, perhaps another drover, was faster, or is at it. */
const ALREADY: ReadonlySet<string> = new Set(['BucketAlreadyOwnedByYou', 'BucketAlreadyExists', 'OperationAborted']);

export const createBuckets = (client: Client, names: BucketNames, endpoint: Endpoint): Buckets => {
  const exists = async (bucket: string): Promise<boolean> => {
    try {
      return await client.bucketExists(bucket);
    } catch (thrown) {
      throw toArchiveError(thrown, { bucket, right: 's3:ListBucket' }, endpoint);
    }
  };
  const make = async (bucket: string): Promise<void> => {
    try {
      await client.makeBucket(bucket);
    } catch (thrown) {
      // A name that another account holds would be seen at the first use, as a right that lacks.
      if (thrown instanceof Refusal && ALREADY.has(thrown.code)) return;
      throw toArchiveError(thrown, { bucket, right: 's3:CreateBucket' }, endpoint);
    }
  };
  const lookAll = async (): Promise<void> => {
    const all = [...new Set([names.code, names.state, names.logs, names.queryResults])];
    await Promise.all(
      all.map(async (bucket) => {
        if (!(await exists(bucket))) await make(bucket);
      }),
    );
  };
  let looked: Promise<void> | undefined;
  return {
    ensure: () => {
      if (looked !== undefined) return looked;
      const look = lookAll();
      looked = look;
      look.catch(() => {
        if (looked === look) looked = undefined;
      });
      return look;
    },
    forget: () => {
      looked = undefined;
    },
  };
};
