/** When schedules are due: days, beats, and what holds for every schedule (features D5, D14). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memo } from '../../src/domain/cron/memo.ts';
import { nextSlot } from '../../src/domain/cron/next-slot.ts';
import { parseSchedule } from '../../src/domain/cron/parse-schedule.ts';
import type { Schedule } from '../../src/domain/cron/schedule.ts';
import { lastSlotBetween, slotsBetween } from '../../src/domain/cron/slots-between.ts';
import { DAY, HOUR, matches, wallClockOf } from '../support/wall-clock.ts';
import { cases } from '../support/full.ts';

const iso = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString().replace('.000Z', 'Z');

describe('R45: leap years, the 31st and years', () => {
  it.each<[string, string, string[]]>([
    ['0 0 29 2 *', '2095-01-01', ['2096-02-29', '2104-02-29', '2108-02-29']],
    ['0 0 31 * *', '2026-01-31T01:00Z', ['2026-03-31', '2026-05-31', '2026-07-31']],
    ['0 0 13 * 5', '2026-02-11', ['2026-02-13', '2026-02-20', '2026-02-27']],
    ['0 0 1 1 *', '2026-01-01', ['2027-01-01', '2028-01-01', '2029-01-01']],
    ['@weekly', '2026-01-01', ['2026-01-04', '2026-01-11', '2026-01-18']],
  ])('%s after %s', (text, after, days) => {
    const slots = slotsBetween(parseSchedule(text), Date.parse(after), Date.UTC(2200), 3).slots;
    expect(slots.map((slot) => iso(slot)?.slice(0, 10))).toEqual(days);
  });
  it('day by day over ten years, any days', () => {
    const one = (min: number, max: number) => fc.oneof(fc.constant('*'), fc.integer({ min, max }).map(String));
    const start = Date.UTC(2024);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 29 }), one(1, 31), one(1, 12), one(0, 6), (skip, days, month, weekday) => {
        const text = `0 0 ${days} ${month} ${weekday}`;
        fc.pre(weekday !== '*' || days === '*' || Number(days) < 30);
        const expected: number[] = [];
        const from = start + skip * DAY;
        for (let at = from + DAY; at < from + 3_653 * DAY; at += DAY) if (matches(`0 ${text}`, at)) expected.push(at);
        expect(slotsBetween(parseSchedule(text), from, from + 3_653 * DAY - 1, 400).slots).toEqual(
          expected.slice(0, 400),
        );
      }),
      { numRuns: cases(8, 60) },
    );
  });
});

describe('@every beats from its anchor', () => {
  const anchorAt = Date.parse('2026-01-01T00:00:07.900Z');
  const schedule = parseSchedule('@every 90s', { anchorAt });
  it('the first slot is one beat after it, cut to the second', () => {
    expect(iso(nextSlot(schedule, anchorAt))).toBe('2026-01-01T00:01:37Z');
    expect(iso(nextSlot(schedule, anchorAt - DAY))).toBe('2026-01-01T00:01:37Z');
  });
  it('and no slot depends on when anybody asks', () => {
    const slots = slotsBetween(schedule, anchorAt, anchorAt + HOUR, 100).slots;
    expect(slots).toHaveLength(40);
    expect(
      slots.map((slot, k) => slot - Date.parse('2026-01-01T00:00:07Z') - (k + 1) * 90_000).every((off) => off === 0),
    ).toBe(true);
    expect(slotsBetween(schedule, slots[9] ?? 0, anchorAt + HOUR, 100).slots).toEqual(slots.slice(10));
  });
  it('a clock that is changed does not matter to it', () => {
    const hourly = parseSchedule('TZ=Europe/Berlin @every 1h', { anchorAt: Date.parse('2026-10-24T22:00Z') });
    const slots = slotsBetween(hourly, Date.parse('2026-10-24T22:00Z'), Date.parse('2026-10-25T04:00Z'), 10).slots;
    expect(slots.map((slot) => iso(slot)?.slice(11, 16))).toEqual([
      '23:00',
      '00:00',
      '01:00',
      '02:00',
      '03:00',
      '04:00',
    ]);
  });
});

describe('the ends of time', () => {
  const schedules = ['0 5 * * *', '0 * * * *', '@every 10s', 'TZ=America/New_York 0 5 1 1 *'].map((text) =>
    parseSchedule(text),
  );
  it.each(schedules)('$text', (schedule) => {
    const end = Date.UTC(10_000);
    for (const after of [end, end + 1, Number.POSITIVE_INFINITY, Number.NaN, end - 1])
      expect(nextSlot(schedule, after)).toBeUndefined();
    const first = nextSlot(schedule, 0) ?? 0;
    expect(first).toBeGreaterThan(0);
    expect(nextSlot(schedule, -1e15)).toBeLessThanOrEqual(first);
    expect(nextSlot(schedule, -1e15)).toBeGreaterThanOrEqual(0);
  });
  it('a beat of 290 years has one slot, and no second within reach of a date', () => {
    const schedule = parseSchedule('@every 2540400h');
    expect(iso(nextSlot(schedule, 0))?.slice(0, 4)).toBe('2259');
    expect(slotsBetween(schedule, 0, Number.POSITIVE_INFINITY, 100).more).toBe(false);
  });
});

it('what is remembered is made once, and the oldest makes room', () => {
  const made: string[] = [];
  const kept = memo(2, (key) => made.push(key));
  for (const key of ['a', 'a', 'b', 'a', 'c', 'b', 'a']) kept(key);
  expect(made).toEqual(['a', 'b', 'c', 'a']);
});

describe('of every schedule', () => {
  const texts = [
    '* * * * * *',
    '*/7 * * * *',
    '30 2 * * *',
    '0,30 0-3 * * *',
    '0 */5 * * *',
    '15 10 1,15 * 1',
    '0 0 29 2 *',
    '0 0 1 */2 ?',
    '@hourly',
    '@every 7m',
    '@every 36h',
  ];
  const timeZones = [
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Africa/Cairo',
    'Asia/Kathmandu',
  ];
  const schedules = fc
    .tuple(fc.constantFrom(...texts), fc.constantFrom(...timeZones), fc.integer({ min: 0, max: 1e12 }))
    .map(([text, timeZone, anchorAt]): Schedule => parseSchedule(text, { timeZone, anchorAt }));
  const instants = fc.integer({ min: Date.UTC(2020), max: Date.UTC(2030) });
  const range = fc.tuple(schedules, instants).chain(([schedule, from]) => {
    const beat = (nextSlot(schedule, nextSlot(schedule, from) ?? from) ?? from) - from;
    return fc.tuple(
      fc.constant(schedule),
      fc.constant(from),
      fc.integer({ min: 0, max: Math.min(beat * 12, 20 * 365 * DAY) }).map((length) => from + length),
    );
  });

  it('the next slot is later, on a whole second, and the same from any instant before it', () => {
    fc.assert(
      fc.property(schedules, instants, fc.double({ min: 0, max: 1, noNaN: true }), (schedule, after, share) => {
        const slot = nextSlot(schedule, after) ?? 0;
        expect(slot).toBeGreaterThan(after);
        expect(slot % 1_000).toBe(0);
        expect(nextSlot(schedule, after + share * (slot - after - 1))).toBe(slot);
        expect(nextSlot(schedule, slot - 0.5)).toBe(slot);
        expect(nextSlot(schedule, slot)).toBeGreaterThan(slot);
      }),
      { numRuns: cases(100, 400) },
    );
  });
  it('a slot is shown on the wall clock, or follows a gap', () => {
    fc.assert(
      fc.property(schedules, instants, (schedule, after) => {
        if (schedule.kind === 'every') return;
        const slot = nextSlot(schedule, after) ?? 0;
        const wall = wallClockOf(schedule.timeZone);
        const shown = matches(schedule.pattern, wall(slot));
        expect(shown || wall(slot) - wall(slot - 1_000) > 1_000).toBe(true);
      }),
      { numRuns: cases(75, 300) },
    );
  });
  it('a range cut in two at any instant has the same slots, in the same order, each once', () => {
    fc.assert(
      fc.property(range, fc.double({ min: 0, max: 1, noNaN: true }), ([schedule, from, to], share) => {
        const cut = Math.round(from + share * (to - from));
        const whole = slotsBetween(schedule, from, to, 100_000);
        const halves = [slotsBetween(schedule, from, cut, 100_000), slotsBetween(schedule, cut, to, 100_000)];
        expect(whole.more).toBe(false);
        expect(halves.flatMap(({ slots }) => slots)).toEqual(whole.slots);
        expect(whole.slots.every((slot, index) => slot > (whole.slots[index - 1] ?? from) && slot <= to)).toBe(true);
      }),
      { numRuns: cases(50, 200) },
    );
  });
  it('D5: a cap keeps the first ones and says that there are more', () => {
    fc.assert(
      fc.property(range, fc.nat({ max: 15 }), ([schedule, from, to], cap) => {
        const whole = slotsBetween(schedule, from, to, 100_000).slots;
        const capped = slotsBetween(schedule, from, to, cap);
        expect(capped).toEqual({ slots: whole.slice(0, cap), more: whole.length > cap });
      }),
      { numRuns: cases(25, 100) },
    );
  });
  it('D5: the last slot of a range is found without the others', () => {
    fc.assert(
      fc.property(range, ([schedule, from, to]) => {
        expect(lastSlotBetween(schedule, from, to)).toBe(slotsBetween(schedule, from, to, 100_000).slots.at(-1));
      }),
      { numRuns: cases(37, 150) },
    );
  });
});
