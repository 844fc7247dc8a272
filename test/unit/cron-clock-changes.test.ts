/** What is due where a clock is put forward or back: tables by hand, and any schedule minute by minute (features D2, D3). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextSlot } from '../../src/domain/cron/next-slot.ts';
import { parseSchedule, type ParseOptions } from '../../src/domain/cron/parse-schedule.ts';
import { slotsBetween } from '../../src/domain/cron/slots-between.ts';
import { HOUR, changesIn, minutesOf, slotsByLooking } from '../support/wall-clock.ts';
import { cases } from '../support/full.ts';

const iso = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString().replace('.000Z', 'Z');
const slotsOf = (text: string, from: string, to: string, options?: ParseOptions): (string | undefined)[] =>
  slotsBetween(parseSchedule(text, options), Date.parse(from), Date.parse(to), 1_000).slots.map(iso);

describe('D3, R43: where the clock is put forward', () => {
  it.each<[string, string, string, string, string[]]>([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28', '2026-03-31', ['28T01:30', '29T01:00', '30T00:30']],
    ['0 2 * * *', 'Europe/Berlin', '2026-03-28', '2026-03-30T12:00Z', ['28T01:00', '29T01:00', '30T00:00']],
    ['0,30 2 * * *', 'Europe/Berlin', '2026-03-29', '2026-03-29T12:00Z', ['29T01:00']],
    ['30 1,2,3 * * *', 'Europe/Berlin', '2026-03-29', '2026-03-29T12:00Z', ['29T00:30', '29T01:00', '29T01:30']],
    ['*/30 2-3 * * *', 'Europe/Berlin', '2026-03-29', '2026-03-29T12:00Z', ['29T01:00', '29T01:30']],
    ['59 59 2 * * *', 'Europe/Berlin', '2026-03-29', '2026-03-29T12:00Z', ['29T01:00']],
    ['30 2 29 3 *', 'Europe/Berlin', '2026-03-01', '2026-04-01', ['29T01:00']],
    // Wildcards and steps: the hours that really pass.
    ['30 * * * *', 'Europe/Berlin', '2026-03-29', '2026-03-29T03:00Z', ['29T00:30', '29T01:30', '29T02:30']],
    ['0 */2 * * *', 'Europe/Berlin', '2026-03-28T22:59Z', '2026-03-29T03:00Z', ['28T23:00', '29T02:00']],
    // Half an hour, a whole day, midnight, and a zone that never does it.
    ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03', '2026-10-05', ['03T15:30', '04T15:15']],
    ['0 12 * * *', 'Pacific/Apia', '2011-12-29', '2012-01-01', ['29T22:00', '30T10:00', '30T22:00', '31T22:00']],
    ['0 0 * * *', 'Africa/Cairo', '2026-04-22', '2026-04-26', ['22T22:00', '23T22:00', '24T21:00', '25T21:00']],
    ['30 0 24 4 *', 'Africa/Cairo', '2026-04-01', '2026-05-01', ['23T22:00']],
    ['0 0 * * *', 'America/Sao_Paulo', '2018-11-03', '2018-11-06', ['03T03:00', '04T03:00', '05T02:00']],
    ['30 2 * * *', 'Asia/Kathmandu', '2026-03-28', '2026-03-30', ['28T20:45', '29T20:45']],
  ])('%s in %s', (text, timeZone, from, to, slots) => {
    expect(slotsOf(text, from, to, { timeZone }).map((slot) => slot?.slice(8, 16))).toEqual(slots);
  });
  it('a fixed time in the gap is left out where that was asked for', () => {
    const left = slotsOf('30 2 * * *', '2026-03-28', '2026-03-31', { timeZone: 'Europe/Berlin', inGap: 'skip' });
    expect(left).toEqual(['2026-03-28T01:30:00Z', '2026-03-30T00:30:00Z']);
  });
});

describe('D3, R43: where the clock is put back', () => {
  it.each<[string, string, string, string, string[]]>([
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24', '2026-10-27', ['24T00:30', '25T00:30', '26T01:30']],
    ['*/30 2 * * *', 'Europe/Berlin', '2026-10-25', '2026-10-26', ['25T00:30']],
    [
      '0 1-4 * * *',
      'Europe/Berlin',
      '2026-10-24T22:00Z',
      '2026-10-25T12:00Z',
      ['24T23:00', '25T00:00', '25T02:00', '25T03:00'],
    ],
    ['30 * * * *', 'Europe/Berlin', '2026-10-25', '2026-10-25T03:00Z', ['25T00:30', '25T01:30', '25T02:30']],
    ['0 */2 * * *', 'Europe/Berlin', '2026-10-24T23:00Z', '2026-10-25T03:00Z', ['25T00:00', '25T01:00', '25T03:00']],
    ['0 1/24 * * *', 'America/New_York', '2026-11-01', '2026-11-02', ['01T05:00']],
    ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-03T20:00Z', '2026-04-05T20:00Z', ['04T14:45', '05T15:15']],
    [
      '45 * * * *',
      'Australia/Lord_Howe',
      '2026-04-04T14:00Z',
      '2026-04-04T17:00Z',
      ['04T14:45', '04T15:15', '04T16:15'],
    ],
    ['0 0 * * *', 'America/Havana', '2026-10-31', '2026-11-03', ['31T04:00', '01T04:00', '02T05:00']],
  ])('%s in %s', (text, timeZone, from, to, slots) => {
    expect(slotsOf(text, from, to, { timeZone }).map((slot) => slot?.slice(8, 16))).toEqual(slots);
  });
  it('asked in the second hour, nothing of the first comes again', () => {
    const schedule = parseSchedule('* * 2 * * *', { timeZone: 'Europe/Berlin' });
    expect(iso(nextSlot(schedule, Date.parse('2026-10-25T00:59:59Z')))).toBe('2026-10-26T01:00:00Z');
    expect(iso(nextSlot(schedule, Date.parse('2026-10-25T01:20:00Z')))).toBe('2026-10-26T01:00:00Z');
  });
  it('and nothing that follows the second hour is lost', () => {
    const schedule = parseSchedule('*/30 2,3 * * *', { timeZone: 'Europe/Berlin' });
    expect(iso(nextSlot(schedule, Date.parse('2026-10-25T01:10:00Z')))).toBe('2026-10-25T02:00:00Z');
  });
});

describe('D3, R43: minute by minute around each change of the clock, any schedule', () => {
  const places: [string, number][] = [
    ['Europe/Berlin', 2026],
    ['America/New_York', 2026],
    ['Australia/Lord_Howe', 2026],
    ['Pacific/Apia', 2011],
    ['Pacific/Chatham', 2026],
    ['America/Havana', 2026],
    ['Africa/Cairo', 2026],
    ['Africa/Casablanca', 2026],
    ['Antarctica/Troll', 2026],
    ['America/Santiago', 2026],
    ['America/Nuuk', 2024],
    ['Asia/Pyongyang', 2018],
    ['Asia/Tehran', 2022],
    ['America/Sao_Paulo', 2018],
    ['Europe/Dublin', 2026],
  ];
  const some = (min: number, max: number) =>
    fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 }).map((values) => values.join(','));
  const hour = fc.oneof(
    fc.constantFrom('*', '*/2', '*/3', '1/2', '0-23', '*/24', '0-3', '1-3', '23'),
    some(0, 4),
    some(0, 23),
  );
  const day = fc.oneof({ weight: 6, arbitrary: fc.constant('*') }, { weight: 1, arbitrary: some(1, 28) });
  const weekday = fc.oneof({ weight: 6, arbitrary: fc.constant('*') }, { weight: 1, arbitrary: some(0, 6) });
  const text = fc
    .tuple(fc.oneof(fc.constantFrom('*', '*/15', '30', '0'), some(0, 59)), hour, day, weekday)
    .map(([minutes, hours, days, weekdays]) => `${minutes} ${hours} ${days} * ${weekdays}`);

  it.each(places)('%s in %i', (timeZone, year) => {
    const changes = changesIn(timeZone, Date.UTC(year), Date.UTC(year + 1));
    expect(changes.length).toBeGreaterThan(0);
    const windows = changes.map(({ at }) => minutesOf(timeZone, at - 30 * HOUR, at + 30 * HOUR));
    fc.assert(
      fc.property(text, fc.constantFrom(...windows), fc.nat({ max: 3_599_999 }), (schedule, minutes, late) => {
        const parsed = parseSchedule(schedule, { timeZone });
        if (parsed.kind !== 'fields') throw new Error('it has fields');
        const [from, to] = [minutes[0]?.[0] ?? 0, minutes.at(-1)?.[0] ?? 0];
        const looked = slotsByLooking(minutes, parsed.pattern, parsed.hours);
        expect(slotsBetween(parsed, from, to, 10_000).slots.map(iso)).toEqual(looked.map(iso));
        // Asked at any instant of the middle hour too, where the clock has just been changed or is about to be.
        const asked = from + 29.5 * HOUR + late;
        expect(iso(nextSlot(parsed, asked))).toBe(iso(looked.find((slot) => slot > asked) ?? nextSlot(parsed, to)));
      }),
      { numRuns: cases(10, 30) },
    );
  });
});
