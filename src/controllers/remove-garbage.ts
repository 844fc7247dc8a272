/** Removes what was judged, one after the other. The first store that fails ends it: the next sweep goes on from there. */
import { toDroverError } from '../domain/errors.ts';
import { ownerOfKey, prefixOfId, type SweptBucket } from '../domain/garbage.ts';
import type { Logger } from '../ports/logger.ts';
import type { ObjectSweeper, UnfinishedUpload } from '../ports/object-sweeper.ts';
import type { GarbageFate, GarbageItem, Surveyed } from './garbage-report.ts';
import { SWEPT } from './survey-buckets.ts';

export interface RemovalWork {
  readonly sweeper: ObjectSweeper;
  readonly logger: Logger;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Asked right before an id goes, of a complete read. */
  readonly stillAbsent: (id: string) => Promise<boolean>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export interface Removal extends Surveyed {
  readonly uploads: readonly UnfinishedUpload[];
  readonly due: readonly string[];
  readonly sumOf: (id: string) => { readonly objects: number; readonly bytes: number };
}

export interface Outcome {
  readonly items: readonly GarbageItem[];
  readonly problems: readonly string[];
}

interface Done {
  readonly fate: GarbageFate;
  readonly why?: string;
}

type Step = Omit<GarbageItem, 'fate' | 'why'> & { readonly act: () => Promise<Done> };

const REMOVED: Done = { fate: 'removed' };

const removeKeys = async (sweeper: ObjectSweeper, bucket: SweptBucket, keys: readonly string[]): Promise<Done> => {
  const [first, ...more] = await sweeper.remove(bucket, keys);
  if (first === undefined) return REMOVED;
  const others = more.length === 0 ? '' : ` (and ${String(more.length)} more)`;
  return { fate: 'failed', why: `${bucket}/${first.key}: ${first.why}${others}` };
};

/** All objects of an id that have one of the known forms; whatever else lies beside them stays. */
const removeId = async ({ sweeper, signal, stillAbsent }: RemovalWork, id: string): Promise<Done> => {
  if (!(await stillAbsent(id))) return { fate: 'cameBack' };
  for (const bucket of SWEPT) {
    const keys: string[] = [];
    for await (const page of sweeper.objects(bucket, prefixOfId(bucket, id))) {
      keys.push(...page.map(({ key }) => key).filter((key) => ownerOfKey(bucket, key)?.id === id));
    }
    signal.throwIfAborted();
    const done = await removeKeys(sweeper, bucket, keys);
    if (done.fate === 'failed') return done;
  }
  return REMOVED;
};

const stepsOf = (work: RemovalWork, removal: Removal): readonly Step[] => {
  const { sweeper } = work;
  return [
    ...removal.temporary.map(({ bucket, key, size }): Step => ({
      kind: 'temporary',
      name: `${bucket}/${key}`,
      objects: 1,
      bytes: size,
      act: () => removeKeys(sweeper, bucket, [key]),
    })),
    ...removal.uploads.map((upload): Step => ({
      kind: 'upload',
      name: `${upload.bucket}/${upload.key}`,
      objects: 1,
      bytes: 0,
      act: async () => {
        await sweeper.abort(upload);
        return REMOVED;
      },
    })),
    ...removal.due.map((id): Step => ({
      kind: 'orphan',
      name: id,
      ...removal.sumOf(id),
      act: () => removeId(work, id),
    })),
  ];
};

const TELL_EVERY_MS = 5_000;

export const removeGarbage = async (work: RemovalWork, removal: Removal): Promise<Outcome> => {
  const { logger, dryRun, signal, now } = work;
  const items: GarbageItem[] = [];
  const problems: string[] = [];
  const steps = stepsOf(work, removal);
  let ended = false;
  let told = now();
  for (const { act, ...item } of steps) {
    if (dryRun || ended) {
      items.push({ ...item, fate: dryRun ? 'wouldRemove' : 'left' });
      continue;
    }
    let done: Done;
    try {
      signal.throwIfAborted();
      done = await act();
    } catch (thrown) {
      ended = true;
      done = { fate: 'left', why: signal.aborted ? 'the sweep was stopped' : toDroverError(thrown).message };
      problems.push(`stopped at ${item.kind} ${JSON.stringify(item.name)}: ${done.why ?? ''}`);
    }
    items.push({ ...item, ...done });
    if (done.fate === 'failed') problems.push(`${item.kind} ${JSON.stringify(item.name)}: ${done.why ?? ''}`);
    if (item.kind === 'orphan') logger.info('orphan found', { id: item.name, ...done, objects: item.objects });
    if (now() - told < TELL_EVERY_MS) continue;
    told = now();
    logger.info('removing garbage', { done: items.length, of: steps.length });
  }
  return { items, problems };
};
