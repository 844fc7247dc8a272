/** Waits by the clock port, so that tests own their time. Nothing in this folder waits in any other way. */
import { Subscription, type SchedulerAction, type SchedulerLike } from 'rxjs';
import type { Clock } from '../ports/clock.ts';

/** Resolves after `ms`. @throws the reason of `signal`, when that is aborted before */
export const pause = (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      // As every reason of ours it is an error; a platform's own may be anything.
      reject(signal?.reason as Error);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });

/** Waits for `work`, but no longer than `ms`; nothing goes on waiting afterwards. @throws what `work` throws in time */
export const atMost = async (clock: Clock, work: Promise<unknown>, ms: number): Promise<void> => {
  let cancel: () => void = () => undefined;
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    cancel();
  }
};

/** For the operators of RxJS that wait. */
export const schedulerOf = (clock: Clock): SchedulerLike => ({
  // How long, never how late it is: a wall clock that is set back must not stretch what was begun.
  now: () => clock.monotonic(),
  schedule: <T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, first?: T): Subscription => {
    const action = new Subscription() as SchedulerAction<T>;
    let cancel: () => void = () => undefined;
    action.schedule = (state, again = 0) => {
      cancel();
      if (!action.closed) {
        cancel = clock.after(again, () => {
          if (!action.closed) work.call(action, state);
        });
      }
      return action;
    };
    action.add(() => {
      cancel();
    });
    return action.schedule(first, delay);
  },
});
