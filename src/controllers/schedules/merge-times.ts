/** Future runs of many schedules in the order of time, without making more of any of them than is asked for. */
import { setImmediate as turn } from 'node:timers/promises';
import type { FireTime } from '../../domain/scheduled-bot.ts';

/** One schedule's runs, each found from the one before. */
export interface TimesOf {
  readonly scheduleId: string;
  /** The first slot later than the slot, or than the instant of its jitter, given; undefined: there is none any more. */
  next(after: number, isSlot: boolean): { readonly slot: number; readonly dueAt: number } | undefined;
}

/** So many steps are made before others have their turn: whoever asks for a preview must hold up no bot. */
const STEPS_AT_ONCE = 200;

interface Head {
  readonly of: TimesOf;
  readonly time: FireTime;
}

const isBefore = (a: Head, b: Head): boolean => a.time.dueAt < b.time.dueAt;

/** A binary heap, the earliest first. */
const createHeap = () => {
  const heads: Head[] = [];
  const swap = (a: number, b: number): void => {
    const [one, other] = [heads[a], heads[b]];
    if (one !== undefined && other !== undefined) [heads[a], heads[b]] = [other, one];
  };
  const less = (a: number, b: number): boolean => {
    const [one, other] = [heads[a], heads[b]];
    return one !== undefined && other !== undefined && isBefore(one, other);
  };
  return {
    push(head: Head): void {
      heads.push(head);
      for (let at = heads.length - 1; at > 0;) {
        const parent = (at - 1) >> 1;
        if (!less(at, parent)) break;
        swap(at, parent);
        at = parent;
      }
    },
    pop(): Head | undefined {
      const [first] = heads;
      const last = heads.pop();
      if (first === undefined || last === undefined || heads.length === 0) return first;
      heads[0] = last;
      for (let at = 0; ;) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        const least = less(right, left) ? right : left;
        if (!less(least, at)) break;
        swap(least, at);
        at = least;
      }
      return first;
    },
  };
};

/** The first `limit` that are due in [from, to]. */
export const mergeTimes = async (
  schedules: readonly TimesOf[],
  from: number,
  to: number,
  limit: number,
): Promise<{ readonly times: readonly FireTime[]; readonly more: boolean }> => {
  const heap = createHeap();
  let steps = 0;
  const step = async (of: TimesOf, after: number, isSlot: boolean): Promise<void> => {
    steps += 1;
    if (steps % STEPS_AT_ONCE === 0) await turn();
    const found = of.next(after, isSlot);
    if (found !== undefined && found.dueAt <= to) heap.push({ of, time: { scheduleId: of.scheduleId, ...found } });
  };
  for (const of of schedules) await step(of, from - 1, false);
  const times: FireTime[] = [];
  for (let head = heap.pop(); head !== undefined; head = heap.pop()) {
    if (times.length >= limit) return { times, more: true };
    times.push(head.time);
    await step(head.of, head.time.slot, true);
  }
  return { times, more: false };
};
