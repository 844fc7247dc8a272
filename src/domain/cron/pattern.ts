/**
 * Six strictly read fields as one pattern, in which nothing is left that cron libraries read differently: days that a
 * month never has are gone, and `*` stands exactly where the days are not restricted (robfig/cron v3, contract §9.2).
 */
import type { Field } from './field.ts';
import { refuse } from './refuse.ts';

/** The most days each month has, January first. */
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** In the order they are written. */
export interface SixFields {
  readonly second: Field;
  readonly minute: Field;
  readonly hour: Field;
  readonly dayOfMonth: Field;
  readonly month: Field;
  readonly dayOfWeek: Field;
}

const list = ({ values }: Pick<Field, 'values'>, all: number): string =>
  values.length === all ? '*' : values.join(',');

/** `[day of month, day of week]`; either one `*` means that the other decides alone. */
const days = ({ dayOfMonth, month, dayOfWeek }: SixFields): readonly [string, string] => {
  const longest = Math.max(...month.values.map((value) => DAYS[value - 1] ?? 0));
  const possible = dayOfMonth.values.filter((day) => day <= longest);
  const onDays = possible.length === longest ? '*' : possible.join(',');
  const onWeekdays = list(dayOfWeek, 7);
  if (dayOfMonth.star) return ['*', onWeekdays];
  if (dayOfWeek.star) {
    if (possible.length === 0) throw refuse('the expression never matches: none of its months has such a day');
    return [onDays, '*'];
  }
  // Both restricted: either one is enough. A choice of every day is no restriction left to be either one of.
  if (onDays === '*' || onWeekdays === '*') return ['*', '*'];
  return [possible.length === 0 ? '*' : onDays, onWeekdays];
};

/**
 * The pattern of a schedule.
 * @throws DroverError SCHEDULE_INVALID when no year has a day that matches, such as 30 February
 */
export const patternOf = (fields: SixFields): string => {
  const [dayOfMonth, dayOfWeek] = days(fields);
  const { second, minute, hour, month } = fields;
  return [list(second, 60), list(minute, 60), list(hour, 24), dayOfMonth, list(month, 12), dayOfWeek].join(' ');
};
