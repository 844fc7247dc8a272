/**
 * Our slots beside those of a second library, croner, and every difference with its reason. Changes of the clock are found
 * without the code under test. A difference that no reason covers is a fault of one of the two, to be looked at.
 */
import { Cron } from 'croner';
import { nextSlot } from '../../src/domain/cron/next-slot.ts';
import { parseSchedule } from '../../src/domain/cron/parse-schedule.ts';
import type { FieldsSchedule } from '../../src/domain/cron/schedule.ts';
import { DAY, changesIn, type Change } from './wall-clock.ts';

/** Ten years with rules that changed in many of them. */
export const FROM = Date.UTC(2016);
export const TO = Date.UTC(2026);

/** With every kind of change: half hours, at midnight, twice a year around Ramadan, for good, backwards, none at all. */
export const ZONES = [
  'UTC',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Africa/Juba',
  'Africa/Lagos',
  'America/Asuncion',
  'America/Caracas',
  'America/Havana',
  'America/Los_Angeles',
  'America/New_York',
  'America/Nuuk',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Antarctica/Casey',
  'Antarctica/Troll',
  'Asia/Amman',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Pyongyang',
  'Asia/Tehran',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'Europe/Berlin',
  'Europe/Dublin',
  'Europe/London',
  'Europe/Volgograd',
  'Pacific/Apia',
  'Pacific/Chatham',
];

export const TEXTS = [
  '30 2 * * *',
  '0 0 * * *',
  '30 0 * * *',
  '0 1 * * *',
  '0 2 * * *',
  '0 3 * * *',
  '30 23 * * *',
  '30 15 2 * * *',
  '0,30 1-3 * * *',
  '15 0,12 * * *',
  '0 9-17/4 * * 1-5',
  '0 0 1,15 * 1',
  '0 12 13 * 5',
  '30 2 31 * *',
  '30 2 * 3,10,11 0',
  '0 0 29 2 *',
  '@monthly',
  '@weekly',
  '0 */24 * * *',
  '*/15 2 * * *',
  '*/20 0-1 * * *',
  '0 * * * *',
  '0 0-23 * * *',
  '45 */3 * * *',
];

/** Why a slot is one of only one of the two. Our rules are in ADR 0013, croner's in its README (Pattern). */
export type Reason =
  /** A time is fixed for croner only if its minutes and seconds are written without `*` and steps; for us the hours decide. */
  | 'minutes by the wildcard in a fixed hour'
  /** Croner looks at how the hours are written, we at what they come to: one time of day, or every hour. */
  | 'one hour, or all hours, written otherwise'
  /** Croner makes up for a time in the gap only on the same day; for us the first instant after it may be the next day's. */
  | 'a gap that ends on the next day';

export interface Comparison {
  /** How many of ours there are. */
  readonly slots: number;
  readonly explained: ReadonlyMap<Reason, number>;
  readonly unexplained: readonly string[];
}

const oursIn = (schedule: FieldsSchedule, from: number, to: number): number[] => {
  const slots: number[] = [];
  for (let slot = nextSlot(schedule, from); slot !== undefined && slot <= to; slot = nextSlot(schedule, slot))
    slots.push(slot);
  return slots;
};

const theirsIn = (text: string, timezone: string, from: number, to: number): number[] => {
  const cron = new Cron(text, { timezone, paused: true, fixedTimeRule: 'no-wildcard' });
  const slots: number[] = [];
  for (let next = cron.nextRun(new Date(from)); next !== null && next.getTime() <= to; next = cron.nextRun(next))
    slots.push(next.getTime());
  return slots;
};

/** A slot that only one of the two has. */
interface Difference {
  readonly slot: number;
  readonly whose: 'ours' | 'theirs';
}

const differencesOf = (ours: readonly number[], theirs: readonly number[]): readonly Difference[] => {
  const [here, there] = [new Set(ours), new Set(theirs)];
  return [
    ...ours.filter((slot) => !there.has(slot)).map((slot): Difference => ({ slot, whose: 'ours' })),
    ...theirs.filter((slot) => !here.has(slot)).map((slot): Difference => ({ slot, whose: 'theirs' })),
  ];
};

const dayOf = (wall: number): number => Math.floor(wall / DAY);

/**
 * Whoever takes the time for fixed has one slot more where a gap ends; whoever does not, has more in the second coming of
 * a fold. A difference anywhere else, or of the other one, has no reason.
 */
const reasonFor = (
  schedule: FieldsSchedule,
  { slot, whose }: Difference,
  changes: readonly Change[],
): Reason | undefined => {
  const words = schedule.text.split(' ');
  const [second = '', minute = '', hour = ''] = words.length === 5 ? ['0', ...words] : words;
  const gap = changes.find(({ at, from, to }) => to > from && slot === at);
  const fold = changes.find(({ at, from, to }) => to < from && slot >= at && slot < at + (from - to));
  const fixedHere = schedule.hours === 'fixed';
  const moreHere = (fixedHere && gap !== undefined) || (!fixedHere && fold !== undefined);
  if ((gap === undefined && fold === undefined) || moreHere !== (whose === 'ours')) return undefined;
  if (/[*/]/.test(hour) === fixedHere) return 'one hour, or all hours, written otherwise';
  if (!fixedHere) return undefined;
  if (/[*/]/.test(second + minute)) return 'minutes by the wildcard in a fixed hour';
  return gap !== undefined && dayOf(gap.to) > dayOf(gap.from) ? 'a gap that ends on the next day' : undefined;
};

/** Two lists of slots of one schedule, held side by side. */
export const explain = (
  schedule: FieldsSchedule,
  ours: readonly number[],
  theirs: readonly number[],
  changes: readonly Change[],
): Comparison => {
  const explained = new Map<Reason, number>();
  const unexplained: string[] = [];
  for (const difference of differencesOf(ours, theirs)) {
    const reason = reasonFor(schedule, difference, changes);
    if (reason !== undefined) explained.set(reason, (explained.get(reason) ?? 0) + 1);
    else {
      const at = new Date(difference.slot).toISOString();
      unexplained.push(`${schedule.text} in ${schedule.timeZone}: ${at} is a slot of ${difference.whose} only`);
    }
  }
  return { slots: ours.length, explained, unexplained };
};

const changesOf = new Map<string, readonly Change[]>();

/** Both libraries over a range: later than `from`, up to and including `to`. */
export const compare = (text: string, timeZone: string, from: number, to: number): Comparison => {
  const schedule = parseSchedule(text, { timeZone });
  if (schedule.kind !== 'fields') throw new Error(`${text} has no fields`);
  const key = `${timeZone} ${String(from)} ${String(to)}`;
  const changes = changesOf.get(key) ?? changesIn(timeZone, from - DAY, to + DAY);
  changesOf.set(key, changes);
  return explain(schedule, oursIn(schedule, from, to), theirsIn(text, timeZone, from, to), changes);
};
