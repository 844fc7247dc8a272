/**
 * A clock that was ahead and is corrected: the cursor of the slots goes back to now, and slots that have a run already are known,
 * so that none of them runs twice (fault R44).
 */
import { nextSlot } from '../../domain/cron/next-slot.ts';
import type { Schedule } from '../../domain/cron/schedule.ts';
import { slotOfKey } from '../../domain/run-key.ts';
import type { ScheduleEvent, SlotRange } from '../../domain/schedule-event.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { CLOCK_TOLERANCE_MS } from '../clock-behind.ts';

/** More of them say no more: the last one then reaches to the end. */
const MOST_RANGES = 500;

/** Its slots are decided for a time that has not come. */
export const isAhead = ({ at, context }: ScheduleState, now: number): boolean =>
  (at === 'armed' || at === 'paused') && context.cursor - now > CLOCK_TOLERANCE_MS;

/** Slots in the order of time, those that follow one another as one range. */
const toRanges = (schedule: Schedule, slots: readonly number[]): readonly SlotRange[] => {
  const ranges: { from: number; to: number }[] = [];
  for (const slot of slots) {
    const last = ranges.at(-1);
    const follows = last !== undefined && nextSlot(schedule, last.to) === slot;
    if (last !== undefined && (follows || ranges.length >= MOST_RANGES)) last.to = slot;
    else ranges.push({ from: slot, to: slot });
  }
  return ranges;
};

/** `claimed`: keys of all runs that the log knows; without them nothing can be decided yet. */
export const settingBack = (
  state: ScheduleState,
  schedule: Schedule,
  claimed: ReadonlySet<string> | undefined,
  now: number,
): ScheduleEvent | undefined => {
  if (!isAhead(state, now) || claimed === undefined) return undefined;
  const slots = [...claimed].flatMap((key) => slotOfKey(key) ?? []).filter((slot) => slot > now);
  slots.sort((a, b) => a - b);
  return { type: 'SlotsSetBack', at: now, byMs: state.context.cursor - now, ran: toRanges(schedule, slots) };
};
