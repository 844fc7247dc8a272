/**
 * One bot at a time: wakes of one key never overlap, of different keys run side by side. At most one wake waits per
 * key; those that come meanwhile only add their causes. The waiting mark is cleared when its turn BEGINS, so a wake
 * that arrives during the work is not lost.
 */
import {
  Subject,
  catchError,
  concatMap,
  debounceTime,
  defer,
  EMPTY,
  filter,
  finalize,
  groupBy,
  mergeMap,
  type Observable,
  type SchedulerLike,
} from 'rxjs';
import type { Cause } from '../domain/recorded.ts';

export interface Wake {
  readonly key: string;
  readonly cause: Cause;
}

export interface SerialPerKeyOptions {
  readonly work: (key: string, causes: readonly Cause[]) => Promise<void>;
  /** Work that throws never ends the stream; it is told here. */
  readonly onError: (key: string, error: unknown) => void;
  /** A wake came for a key that is worked on. */
  readonly onNewer?: (key: string) => void;
  /** Time, for how long a key was idle. */
  readonly scheduler: SchedulerLike;
  /** A key that was idle this long is forgotten, ms. */
  readonly idleMs?: number;
}

/** A cause more than this says nothing more to a reader. */
const MAX_CAUSES = 8;

const sameCause = (a: Cause, b: Cause): boolean => JSON.stringify(a) === JSON.stringify(b);

export const serialPerKey =
  ({ work, onError, onNewer, scheduler, idleMs = 5_000 }: SerialPerKeyOptions) =>
  (source: Observable<Wake>): Observable<never> =>
    defer(() => {
      const waiting = new Map<string, Cause[]>();
      const inFlight = new Map<string, number>();
      const drained = new Subject<string>();

      const admit = ({ key, cause }: Wake): boolean => {
        const causes = waiting.get(key);
        if (inFlight.has(key)) onNewer?.(key);
        if (causes === undefined) {
          waiting.set(key, [cause]);
          inFlight.set(key, (inFlight.get(key) ?? 0) + 1);
          return true;
        }
        if (causes.length < MAX_CAUSES && !causes.some((known) => sameCause(known, cause))) causes.push(cause);
        return false;
      };
      const leave = (key: string): void => {
        const left = (inFlight.get(key) ?? 1) - 1;
        if (left > 0) inFlight.set(key, left);
        else {
          inFlight.delete(key);
          drained.next(key);
        }
      };
      const turn = (key: string): Observable<never> =>
        defer(async () => {
          const causes = waiting.get(key) ?? [];
          waiting.delete(key);
          await work(key, causes);
        }).pipe(
          catchError((error: unknown) => {
            onError(key, error);
            return EMPTY;
          }),
          mergeMap(() => EMPTY),
          finalize(() => {
            leave(key);
          }),
        );

      return source.pipe(
        filter(admit),
        groupBy(({ key }) => key, {
          // A group may only close while its key has nothing in flight: closing earlier lets two turns overlap.
          duration: (group) =>
            drained.pipe(
              filter((key) => key === group.key),
              debounceTime(idleMs, scheduler),
              filter(() => !inFlight.has(group.key)),
            ),
        }),
        mergeMap((group) => group.pipe(concatMap(({ key }) => turn(key)))),
      );
    });
