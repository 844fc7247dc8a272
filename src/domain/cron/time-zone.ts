/**
 * Time zones as what they are: stretches of constant offset, and the instants where one ends and the next begins. All
 * from the zone data of the process. A wall clock is written as the epoch ms at which a clock in UTC would show the same.
 */
import { memo } from './memo.ts';
import { quote, refuse } from './refuse.ts';

const SECOND = 1_000;
const DAY = 86_400_000;
/** More than there are by their first names; each costs some tens of kilobytes. */
const KEPT_ZONES = 512;

interface Zone {
  readonly wallClock: Intl.DateTimeFormat;
  /** Changes of offset by the UTC year they fall in: later than its first instant, up to the next year's first. */
  readonly changes: Map<number, readonly number[]>;
}

const zones = memo(KEPT_ZONES, (name): Zone => {
  const wallClock = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return { wallClock, changes: new Map() };
});

/**
 * The name, when it is one of the IANA zones this process has data for. Offsets such as `+02:00` are none: some versions
 * of Node take them and others do not.
 * @throws DroverError SCHEDULE_INVALID
 */
export const knownZone = (name: string): string => {
  const unknown = (cause?: unknown) => refuse(`${quote(name)} is not an IANA time zone such as Europe/Berlin`, cause);
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) throw unknown();
  try {
    zones(name);
    return name;
  } catch (thrown) {
    throw unknown(thrown);
  }
};

/** Wall clock of a zone at an instant, to the second. */
export const wallAt = (timeZone: string, at: number): number => {
  if (timeZone === 'UTC') return Math.floor(at / SECOND) * SECOND;
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] =
    zones(timeZone)
      .wallClock.format(at)
      .match(/\d+/g)
      ?.map((digits) => Number(digits)) ?? [];
  return Date.UTC(year, month - 1, day, hour, minute, second);
};

/** Wall clock minus UTC at an instant on a whole second, ms. */
export const offsetAt = (timeZone: string, at: number): number => wallAt(timeZone, at) - at;

/** The first instant, on a whole second, that has not the offset of `from`; there is one up to `to`. */
const changeBetween = (timeZone: string, from: number, to: number): number => {
  const before = offsetAt(timeZone, from);
  let low = from;
  let high = to;
  while (high - low > SECOND) {
    const middle = low + Math.floor((high - low) / (2 * SECOND)) * SECOND;
    if (offsetAt(timeZone, middle) === before) low = middle;
    else high = middle;
  }
  return high;
};

/** Day by day: no zone has changed its offset twice within one since 1970. */
const changesOfYear = (timeZone: string, year: number): readonly number[] => {
  const { changes } = zones(timeZone);
  const known = changes.get(year);
  if (known !== undefined) return known;
  const found: number[] = [];
  const end = Date.UTC(year + 1);
  for (let from = Date.UTC(year); from < end; from += DAY) {
    if (offsetAt(timeZone, from) !== offsetAt(timeZone, from + DAY))
      found.push(changeBetween(timeZone, from, from + DAY));
  }
  changes.set(year, found);
  return found;
};

/** The first change of offset later than `after`, up to and including `until`: the first instant of the new offset. */
export const firstChange = (timeZone: string, after: number, until: number): number | undefined => {
  if (timeZone === 'UTC') return undefined;
  const last = new Date(until).getUTCFullYear();
  for (let year = new Date(after).getUTCFullYear(); year <= last; year += 1) {
    const change = changesOfYear(timeZone, year).find((at) => at > after && at <= until);
    if (change !== undefined) return change;
  }
  return undefined;
};
