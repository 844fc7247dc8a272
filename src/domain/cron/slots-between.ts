/** Slots of a range: later than `from`, up to and including `to`. Ranges that meet share no slot and lose none. */
import { nextSlot } from './next-slot.ts';
import type { Schedule } from './schedule.ts';

export interface Slots {
  /** Epoch ms, ascending. */
  readonly slots: readonly number[];
  /** The range holds more; go on from the last one. */
  readonly more: boolean;
}

/** The first slots of a range, `cap` at most. */
export const slotsBetween = (schedule: Schedule, from: number, to: number, cap: number): Slots => {
  const slots: number[] = [];
  let slot = nextSlot(schedule, from);
  while (slot !== undefined && slot <= to) {
    if (slots.length >= cap) return { slots, more: true };
    slots.push(slot);
    slot = nextSlot(schedule, slot);
  }
  return { slots, more: false };
};

/**
 * The last slot of a range, or undefined when it holds none. Found by halving, so a week of missed seconds costs no more
 * than a day of missed hours.
 */
export const lastSlotBetween = (schedule: Schedule, from: number, to: number): number | undefined => {
  const within = (after: number): number | undefined => {
    const slot = nextSlot(schedule, after);
    return slot !== undefined && slot <= to ? slot : undefined;
  };
  let last = within(from);
  if (last === undefined) return undefined;
  let none = Math.ceil(to);
  while (none - last > 1) {
    const middle: number = last + Math.floor((none - last) / 2);
    const slot = within(middle);
    if (slot === undefined) none = middle;
    else last = slot;
  }
  return last;
};
