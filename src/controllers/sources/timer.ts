/** Wakes a bot when a deadline that its state holds comes due. Losing all of them costs at most one tick. */
import { Observable } from 'rxjs';
import type { Clock } from '../../ports/clock.ts';
import type { Wake } from '../serial-per-key.ts';

export interface TimerSource {
  readonly wakes: Observable<Wake>;
  /** One timer a key: a later call replaces the earlier one; undefined only cancels. */
  arm(key: string, afterMs: number | undefined): void;
}

export const createTimerSource = (clock: Clock): TimerSource => {
  const cancels = new Map<string, () => void>();
  let emit: ((wake: Wake) => void) | undefined;
  return {
    wakes: new Observable<Wake>((subscriber) => {
      emit = (wake) => {
        subscriber.next(wake);
      };
      return () => {
        emit = undefined;
        for (const cancel of cancels.values()) cancel();
        cancels.clear();
      };
    }),
    arm(key, afterMs) {
      cancels.get(key)?.();
      cancels.delete(key);
      if (afterMs === undefined || emit === undefined) return;
      cancels.set(
        key,
        // A deadline is a time of the wall clock: when that is set, the deadline is due earlier or later.
        clock.at(clock.now() + Math.max(afterMs, 1), () => {
          cancels.delete(key);
          emit?.({ key, cause: { kind: 'timer' } });
        }),
      );
    },
  };
};
