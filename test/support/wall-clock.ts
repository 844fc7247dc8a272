/**
 * Slots by looking at the clock of every single minute: slow, obvious, and without a line of the code under test. What a
 * zone's clock shows comes from `Intl`; a wall clock is written as the epoch ms at which a clock in UTC would show the same.
 */
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export type WallClock = (at: number) => number;

export const wallClockOf = (timeZone: string): WallClock => {
  // The Swedish way to write a time is that of ISO 8601; taking it apart by `formatToParts` costs three times as much.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
  return (at) => Date.parse(`${format.format(at).replace(' ', 'T')}Z`);
};

/** A change of the clock: at `at` it shows `to` instead of `from`. */
export interface Change {
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** All changes of a zone's clock in a range, found hour by hour and then minute by minute. */
export const changesIn = (timeZone: string, from: number, to: number): readonly Change[] => {
  const wall = wallClockOf(timeZone);
  const changes: Change[] = [];
  for (let day = from; day < to; day += DAY) {
    if (wall(day + DAY) - wall(day) === DAY) continue;
    for (let at = day + MINUTE; at <= day + DAY; at += MINUTE) {
      const expected = wall(at - MINUTE) + MINUTE;
      if (wall(at) !== expected) changes.push({ at, from: expected, to: wall(at) });
    }
  }
  return changes;
};

/** Does a pattern of `*`, numbers and commas (six fields) match a wall clock? */
export const matches = (pattern: string, wall: number): boolean => {
  const date = new Date(wall);
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = pattern.split(' ').map((field) => {
    const values = field.split(',');
    return { star: field === '*', has: (value: number) => field === '*' || values.includes(String(value)) };
  });
  const onDay = dayOfMonth?.has(date.getUTCDate());
  const onWeekday = dayOfWeek?.has(date.getUTCDay());
  return (
    second?.has(date.getUTCSeconds()) === true &&
    minute?.has(date.getUTCMinutes()) === true &&
    hour?.has(date.getUTCHours()) === true &&
    month?.has(date.getUTCMonth() + 1) === true &&
    ((dayOfMonth?.star === true || dayOfWeek?.star === true ? onDay && onWeekday : onDay || onWeekday) ?? false)
  );
};

/** What the clock shows in each minute of a range, the first one included. */
export const minutesOf = (timeZone: string, from: number, to: number): readonly (readonly [number, number])[] => {
  const wall = wallClockOf(timeZone);
  const minutes: [number, number][] = [];
  for (let at = from; at <= to; at += MINUTE) minutes.push([at, wall(at)]);
  return minutes;
};

/** Slots later than the first minute, by the rules of ADR 0013. */
export const slotsByLooking = (
  minutes: readonly (readonly [number, number])[],
  pattern: string,
  rule: 'fixed' | 'elapsed',
): readonly number[] => {
  const slots: number[] = [];
  let latest = minutes[0]?.[1] ?? 0;
  for (const [at, wall] of minutes.slice(1)) {
    const first = wall > latest;
    let due = matches(pattern, wall) && (first || rule === 'elapsed');
    if (rule === 'fixed') {
      for (let skipped = latest + MINUTE; skipped < wall && !due; skipped += MINUTE) due = matches(pattern, skipped);
    }
    if (due) slots.push(at);
    latest = Math.max(latest, wall);
  }
  return slots;
};
