/** Bounded lanes with deadlines: many starts at once are slower than few, and one hung call must hold up one bot only. */
import { DroverError } from '../../domain/errors.ts';
import { waitInLine, type Waiter } from '../../domain/waiting-line.ts';
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

type Queue = Waiter<undefined, void>[];

/** @throws DroverError ENGINE_TIMEOUT at the deadline, else what the call throws, as an error of the table */
export const createLane = ({ name, width, deadlineMs }: LaneOptions): Lane => {
  let free = width;
  const waiting: Queue = [];
  const waitingNext: Queue = [];
  const leave = (): void => {
    const next = waitingNext.shift() ?? waiting.shift();
    if (next === undefined) free += 1;
    else next.take();
  };
  return async (call, place) => {
    const unless = typeof place === 'object' ? place.unless : undefined;
    unless?.throwIfAborted();
    if (free > 0) free -= 1;
    else await waitInLine(place === 'next' ? waitingNext : waiting, undefined, unless);
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
