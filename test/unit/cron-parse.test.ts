/** Schedule texts: what each form means, and what is refused with which reason (contract §9.2, features D1 and D2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule, type ParseOptions } from '../../src/domain/cron/parse-schedule.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { cases } from '../support/full.ts';

const patternOf = (text: string): string => {
  const schedule = parseSchedule(text);
  return schedule.kind === 'fields' ? schedule.pattern : 'a beat';
};
const hoursOf = (text: string): string => {
  const schedule = parseSchedule(text);
  return schedule.kind === 'fields' ? schedule.hours : 'a beat';
};
const everyMs = (text: string): number => {
  const schedule = parseSchedule(text);
  return schedule.kind === 'every' ? schedule.everyMs : Number.NaN;
};
const reasonOf = (text: string, options?: ParseOptions): string => {
  try {
    parseSchedule(text, options);
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DroverError);
    expect(thrown).toMatchObject({ code: 'SCHEDULE_INVALID', class: 'rejected' });
    return (thrown as DroverError).message;
  }
  return 'it was taken';
};

describe('D1: a schedule of fields means', () => {
  it.each([
    ['* * * * *', '0 * * * * *'],
    ['* * * * * *', '* * * * * *'],
    ['5 4 3 2 1', '0 5 4 3 2 1'],
    ['30 5 4 3 2 *', '30 5 4 3 2 *'],
    ['? ? ? ? ?', '0 * * * * *'],
    ['  5\t4   * *\n*\n', '0 5 4 * * *'],
    ['5/20 * * * *', '0 5,25,45 * * * *'],
    ['5-30/10 * * * *', '0 5,15,25 * * * *'],
    ['?/20 * * * *', '0 0,20,40 * * * *'],
    // More than the field holds leaves the first value, as in the reference.
    ['*/90 * * * *', '0 0 * * * *'],
    ['08 09 * * *', '0 8 9 * * *'],
    ['1,1,3-4,2 * * * *', '0 1,2,3,4 * * * *'],
    ['0-59 0-23 * 1-12 *', '0 * * * * *'],
    ['0 0 * jan-MAR,Dec Mon-fri', '0 0 0 * 1,2,3,12 1,2,3,4,5'],
    ['0 0 * * Mon/2', '0 0 0 * * 1,3,5'],
  ])('%j → %s', (text, pattern) => {
    expect(patternOf(text)).toBe(pattern);
  });

  it.each([
    ['0 0 1,15 * 0', '0 0 0 1,15 * 0', 'either day, when both are restricted'],
    ['0 0 1,15 * *', '0 0 0 1,15 * *', 'a star on one side leaves it to the other'],
    ['0 0 ? * 0', '0 0 0 * * 0', 'so does a question mark'],
    ['0 0 */1 * 0', '0 0 0 * * 0', 'and a step of one'],
    ['0 0 */10 * 0', '0 0 0 1,11,21,31 * 0', 'a longer step is a restriction (robfig/cron v3, its issue 70)'],
    ['0 0 1-31 * 0', '0 0 0 * * *', 'a list of all days is a restriction that every day meets'],
    ['0 0 13 * 0-6', '0 0 0 * * *', 'a list of all weekdays too'],
    ['0 0 30 2 1', '0 0 0 * 2 1', 'a day that never is leaves the other'],
    ['0 0 29-31 2 *', '0 0 0 29 2 *', 'days the month never has are gone'],
  ])('days: %j → %s, %s', (text, pattern) => {
    expect(patternOf(text)).toBe(pattern);
  });

  it.each([
    ['@yearly', '0 0 0 1 1 *'],
    ['@annually', '0 0 0 1 1 *'],
    ['@monthly', '0 0 0 1 * *'],
    ['@weekly', '0 0 0 * * 0'],
    ['@daily', '0 0 0 * * *'],
    ['@midnight', '0 0 0 * * *'],
    ['@hourly', '0 0 * * * *'],
  ])('%s → %s', (text, pattern) => {
    expect(patternOf(text)).toBe(pattern);
  });

  it.each([
    ['0 2 * * *', 'fixed'],
    ['* 2 * * *', 'fixed'],
    ['0 9-17 * * *', 'fixed'],
    ['0 1,2,3 * * *', 'fixed'],
    // One hour is left: a time of day, however it is written.
    ['0 */24 * * *', 'fixed'],
    ['0 * * * *', 'elapsed'],
    ['0 ? * * *', 'elapsed'],
    ['0 */2 * * *', 'elapsed'],
    ['0 1/2 * * *', 'elapsed'],
    ['0 9-17/2 * * *', 'elapsed'],
    ['0 0-23 * * *', 'elapsed'],
  ])('D3: the hours of %j are %s', (text, hours) => {
    expect(hoursOf(text)).toBe(hours);
  });
});

describe('D1: @every takes Go durations', () => {
  it.each([
    ['@every 5m', 300_000],
    ['@every 1h30m', 5_400_000],
    ['@every 1.5h', 5_400_000],
    ['@every .5h', 1_800_000],
    ['@every +90s', 90_000],
    ['@every 1500ms', 1_000],
    ['@every 500ms', 1_000],
    ['@every 1ns', 1_000],
    ['@every 2000000us', 2_000],
    ['@every 3000000µs', 3_000],
    ['@every 3000000μs', 3_000],
    ['@every 2562047h47m16.854775807s', 9_223_372_036_000],
    ['TZ=Asia/Tokyo   @every 10s', 10_000],
  ])('%s is %i ms', (text, ms) => {
    expect(everyMs(text)).toBe(ms);
  });
  it('its anchor is on a whole second', () => {
    expect(parseSchedule('@every 5m', { anchorAt: 12_345 })).toMatchObject({ kind: 'every', anchorAt: 12_000 });
  });
});

describe('D1, R3: refused with the reason', () => {
  it.each([
    ['', 'the expression is empty'],
    [' \n', 'the expression is empty'],
    ['CRON_TZ=UTC', 'the expression is empty'],
    ['7', '"7" has 1 field; use 5 (minute first) or 6 (second first)'],
    ['* * * *', 'has 4 fields'],
    ['* * * * * * *', 'has 7 fields'],
    ['0 0 30 2 *', 'the expression never matches'],
    ['0 0 31 feb,apr,jun,sep,nov ?', 'the expression never matches'],
    ['60 * * * *', 'minute field: "60" is above 59'],
    ['60 * * * * *', 'second field: "60" is above 59'],
    ['* 24 * * *', 'hour field: "24" is above 23'],
    ['* * 0 * *', 'day-of-month field: "0" is below 1'],
    ['* * 32 * *', 'day-of-month field: "32" is above 31'],
    ['* * * 13 *', 'month field: "13" is above 12'],
    ['* * * * 7', 'day-of-week field: "7" is above 6; Sunday is 0'],
    ['* * * * 0-7', 'above 6'],
    ['* * L * *', 'day-of-month field: "L"'],
    ['* * 15W * *', 'day-of-month field: "15W"'],
    ['* * LW * *', 'day-of-month field: "LW"'],
    ['* * * * 5L', 'day-of-week field: "5L"'],
    ['* * * * 1#2', 'day-of-week field: "1#2" is not valid'],
    ['H * * * *', 'minute field: "H" is not a number'],
    ['H(0-5) * * * *', 'similar extensions are not supported'],
    ['MON * * * *', 'minute field: "MON" is not a number'],
    ['* * * MON *', 'month field: "MON" is not a number or a name such as JAN'],
    ['* * * * JAN', 'day-of-week field: "JAN" is not a number or a name such as SUN'],
    ['* * * * sunday', 'day-of-week field: "sunday"'],
    ['toString * * * *', 'minute field: "toString"'],
    ['1,,2 * * * *', 'the list has an empty item'],
    [', * * * *', 'the list has an empty item'],
    ['*-5 * * * *', 'a range without a start'],
    ['5-* * * * *', 'similar extensions are not supported'],
    ['5-1 * * * *', 'ends before it starts'],
    ['* * * * fri-mon', 'ends before it starts'],
    ['1-2-3 * * * *', 'similar extensions are not supported'],
    ['*/0 * * * *', 'the step must not be 0'],
    ['*/ * * * *', 'similar extensions are not supported'],
    ['/5 * * * *', 'similar extensions are not supported'],
    ['*/5/5 * * * *', 'similar extensions are not supported'],
    ['** * * * *', 'similar extensions are not supported'],
    ['-1 * * * *', 'similar extensions are not supported'],
    ['+1 * * * *', 'similar extensions are not supported'],
    ['1.5 * * * *', 'similar extensions are not supported'],
    ['1e1 * * * *', 'is not a number'],
    ['٣ * * * *', 'the expression contains the character U+0663'],
    ['*\u00a0* * * *', 'the expression contains the character U+00A0'],
    ['* * * *\u0000 *', 'the expression contains the character U+0000'],
    ['😀 * * * *', 'the expression contains the character U+1F600'],
    [`* * * * *${' '.repeat(1_000)}`, 'longer than 1000'],
    ['@reboot', '"@reboot" is none of @yearly'],
    ['@Daily', '"@Daily" is none of'],
    ['@minutely', 'none of'],
    ['@toString', 'none of'],
    ['@', 'none of'],
    ['@daily 5', '"5" after @daily has no meaning'],
    ['@every', 'takes one duration'],
    ['@every 5m 5m', 'takes one duration'],
    ['@every 5', '"5" is not a duration'],
    ['@every 5d', '"5d" is not a duration'],
    ['@every .h', 'is not a duration'],
    ['@every -5m', '"-5m" is not positive'],
    ['@every 0s', '"0s" is not positive'],
    ['@every 2562048h', 'longer than 292 years'],
    ['TZ=UTC TZ=UTC * * * * *', 'second field: "TZ=UTC" is not valid'],
    ['tz=UTC * * * * *', 'second field: "tz=UTC" is not valid'],
  ])('%j: %s', (text, reason) => {
    expect(reasonOf(text)).toContain(reason);
  });
  it('any text at all is either taken or refused, by no other error', () => {
    const pieces = fc.constantFrom(
      ...'*?,-/0157 LWH#@TZ=sunjan'.split(''),
      '@every ',
      'TZ=UTC ',
      ' * * * *',
      '\u00b5s',
    );
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(reasonOf(text)).not.toBe('');
      }),
      { numRuns: cases(200, 2_000) },
    );
  });
});

describe('D2, R3: the zone of a schedule', () => {
  const zoneOf = (text: string, options?: ParseOptions): string => parseSchedule(text, options).timeZone;
  it('is UTC, unless its settings, its text or the default say otherwise', () => {
    expect(zoneOf('@daily')).toBe('UTC');
    expect(zoneOf('@daily', { defaultTimeZone: 'Asia/Kathmandu' })).toBe('Asia/Kathmandu');
    expect(zoneOf('@daily', { timeZone: 'Europe/Berlin', defaultTimeZone: 'Asia/Kathmandu' })).toBe('Europe/Berlin');
    expect(zoneOf('TZ=Asia/Tokyo 0 5 * * *', { defaultTimeZone: 'Asia/Kathmandu' })).toBe('Asia/Tokyo');
    expect(zoneOf('CRON_TZ=Asia/Tokyo  @daily')).toBe('Asia/Tokyo');
    expect(zoneOf('TZ=Asia/Tokyo @every 5m')).toBe('Asia/Tokyo');
    expect(zoneOf('TZ=Asia/Tokyo @daily', { timeZone: 'Asia/Tokyo' })).toBe('Asia/Tokyo');
  });
  it('given twice and not the same is refused', () => {
    expect(reasonOf('TZ=Asia/Tokyo @daily', { timeZone: 'Europe/Berlin' })).toContain('remove one of them');
  });
  it.each(['', 'Mars/Olympus', 'Local', '+05:30', 'UTC+1', '../etc/passwd', 'Europe/Berlin;', 'Factory'])(
    'that nobody knows is refused: %j',
    (timeZone) => {
      expect(reasonOf('@daily', { timeZone })).toContain('is not an IANA time zone');
      expect(reasonOf(`TZ=${timeZone} @daily`)).toContain('is not an IANA time zone');
    },
  );
});
