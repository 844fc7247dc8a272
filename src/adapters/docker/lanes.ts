/** Bounded lanes with deadlines: many starts at once are slower than few, and one hung call must hold up one bot only. */
import { DroverError } from '../../domain/errors.ts';
import { toEngineError } from './docker-errors.ts';

export interface LaneOptions {
  readonly name: string;
  /** Calls in flight at most. */
  readonly width: number;
  /** Deadline of one call once it has begun, ms. */
  readonly deadlineMs: number;
}

/**
 * Runs a call in its turn. The signal aborts at the deadline; the turn ends then, whether the call heard it or not. `next`: before
 * those that wait without it, because it ends what was begun. `unless`: who waits leaves when it aborts; what has begun goes on.
 */
export type Lane = <T>(
  call: (signal: AbortSignal) => Promise<T>,
  place?: 'next' | { readonly unless: AbortSignal },
) => Promise<T>;

type Queue = (() => void)[];

/** @throws the signal's reason when it aborts first */
const waitIn = (queue: Queue, unless: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const leave = (): void => {
      queue.splice(queue.indexOf(come), 1);
      reject(unless?.reason as Error);
    };
    const come = (): void => {
      unless?.removeEventListener('abort', leave);
      resolve();
    };
    unless?.addEventListener('abort', leave, { once: true });
    queue.push(come);
  });

/** @throws DroverError ENGINE_TIMEOUT at the deadline, else what the call throws, as an error of the table */
export const createLane = ({ name, width, deadlineMs }: LaneOptions): Lane => {
  let free = width;
  const waiting: Queue = [];
  const waitingNext: Queue = [];
  const leave = (): void => {
    const next = waitingNext.shift() ?? waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return async (call, place) => {
    const unless = typeof place === 'object' ? place.unless : undefined;
    unless?.throwIfAborted();
    if (free > 0) free -= 1;
    else await waitIn(place === 'next' ? waitingNext : waiting, unless);
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new DroverError('ENGINE_TIMEOUT', `the engine did not answer a ${name} call in ${String(deadlineMs)} ms`),
        );
        abort.abort();
      }, deadlineMs);
    });
    try {
      return await Promise.race([call(abort.signal), late]);
    } catch (thrown) {
      throw toEngineError(thrown);
    } finally {
      clearTimeout(timer);
      leave();
    }
  };
};
