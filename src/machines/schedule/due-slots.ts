/**
 * Which of the slots that are due run, and which pass, with the reason: one decision at a time, oldest first. A range of any
 * length costs a few looks at the calendar (features D5, D6; fault R44).
 */
import { nextSlot } from '../../domain/cron/next-slot.ts';
import type { Schedule } from '../../domain/cron/schedule.ts';
import { lastSlotBetween, slotsBetween } from '../../domain/cron/slots-between.ts';
import type { PassReason, SlotRange } from '../../domain/schedule-event.ts';
import type { SchedulePolicy } from '../../domain/schedule-policy.ts';

export type SlotDecision =
  | { readonly kind: 'run'; readonly slot: number; readonly dueAt: number; readonly isLate: boolean }
  | {
      readonly kind: 'pass';
      readonly from: number;
      readonly to: number;
      readonly count: number;
      readonly more: boolean;
      readonly reason: PassReason;
    };

export interface DueSlots {
  readonly schedule: Schedule;
  readonly policy: SchedulePolicy;
  /** Every slot up to here is decided. */
  readonly cursor: number;
  readonly offsetMs: number;
  readonly now: number;
  /** Slots that have a run already. */
  readonly ran?: readonly SlotRange[];
}

/** A slot that is taken up within this time was not missed: nobody was away, somebody was busy. */
export const ON_TIME_MS = 5_000;
/** What is counted one by one; beyond it a range says "at least". */
const COUNTED = 5_000;

/** A range of slots that pass, `to` included. */
export const passing = (
  schedule: Schedule,
  after: number,
  to: number,
  reason: PassReason,
): SlotDecision | undefined => {
  const { slots, more } = slotsBetween(schedule, after, to, COUNTED);
  const [from] = slots;
  const last = more ? lastSlotBetween(schedule, after, to) : slots.at(-1);
  if (from === undefined || last === undefined) return undefined;
  return { kind: 'pass', from, to: last, count: slots.length, more, reason };
};

/** The oldest of the newest `count` slots in a range. */
const oldestOfNewest = (schedule: Schedule, after: number, to: number, count: number): number | undefined => {
  let oldest: number | undefined;
  for (let n = 0, until = to; n < count; n += 1) {
    const slot = lastSlotBetween(schedule, after, until);
    if (slot === undefined) break;
    oldest = slot;
    until = slot - 1;
  }
  return oldest;
};

/** Nothing older than this is run any more. Exclusive. */
const oldestAllowed = ({ policy, now, offsetMs }: DueSlots): number =>
  now - offsetMs - Math.min(policy.catchUpMs, policy.startDeadlineMs ?? Infinity) - 1;

const firstToRun = (due: DueSlots, limit: number): number | undefined => {
  const { schedule, policy, cursor, now, offsetMs } = due;
  const newest = lastSlotBetween(schedule, cursor, limit);
  if (newest === undefined) return undefined;
  const after = Math.max(cursor, oldestAllowed(due));
  if (policy.missed === 'all') return oldestOfNewest(schedule, after, limit, policy.missedCap);
  const isOnTime = now - (newest + offsetMs) <= ON_TIME_MS;
  if (newest <= after) return undefined;
  return isOnTime || policy.missed === 'last' ? newest : undefined;
};

/** The first slot after an instant that has no run yet. */
export const nextToRun = (schedule: Schedule, after: number, ran: readonly SlotRange[] = []): number | undefined => {
  let slot = nextSlot(schedule, after);
  for (const { from, to } of ran) if (slot !== undefined && from <= slot && slot <= to) slot = nextSlot(schedule, to);
  return slot;
};

/** The next decision, or undefined when no slot is due. */
export const nextDecision = (due: DueSlots): SlotDecision | undefined => {
  const { schedule, cursor, now, offsetMs, ran = [] } = due;
  const today = now - offsetMs;
  const first = nextSlot(schedule, cursor);
  if (first === undefined || first > today) return undefined;
  const already = ran.find(({ from, to }) => from <= first && first <= to);
  if (already !== undefined) return passing(schedule, cursor, Math.min(already.to, today), 'alreadyRan');
  // One decision says nothing of those that come after a slot that ran.
  const limit = ran.reduce((least, { from }) => (from > first ? Math.min(least, from - 1) : least), today);
  const run = firstToRun(due, limit);
  if (run === first) {
    const dueAt = first + offsetMs;
    return { kind: 'run', slot: first, dueAt, isLate: now - dueAt > ON_TIME_MS };
  }
  const end = run === undefined ? limit : run - 1;
  // What is beyond the deadline comes before what the policy leaves out.
  const deadline = limit - (due.policy.startDeadlineMs ?? Infinity) - 1;
  const tooOld = passing(schedule, cursor, Math.min(end, deadline), 'deadline');
  return tooOld ?? passing(schedule, cursor, end, 'missed');
};
