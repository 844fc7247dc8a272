/** Cron texts that are valid and probably not meant. */
import { describe, expect, it } from 'vitest';
import { noticesOf, slipsOf } from '../../src/domain/cron/remarks.ts';
import { parseSchedule } from '../../src/domain/cron/parse-schedule.ts';

describe('case A6: a step', () => {
  it.each([
    ['*/90 * * * *', /minute field: .*"\*\/90".*minute 0 alone; write `0`, or `@every 90m`/],
    ['*/90 * * * * *', /second field: .*or `@every 90s`/],
    ['0 */36 * * *', /hour field: .*hour 0 alone.*`@every 36h`/],
    ['0 0 */40 * *', /day-of-month field: .*day-of-month 1 alone; write `1`$/],
    ['0 0 * */13 *', /month field: .*month 1 alone/],
    ['0 0 * * */8', /day-of-week field: .*day-of-week 0 alone/],
    ['10-20/30 * * * *', /minute field: the step of "10-20\/30".*minute 10 alone; write `10`$/],
    ['TZ=Europe/Berlin 1,*/90 * * * *', /"\*\/90"/],
  ])('%s is larger than its range, and says what it means', (text, message) => {
    expect(parseSchedule(text).kind).toBe('fields');
    expect(slipsOf(text)).toEqual([expect.stringMatching(message)]);
  });
  it.each([
    '*/60 * * * *',
    '0 */24 * * *',
    '5/60 * * * *',
    '*/7 * * * *',
    '0-30/15 * * * *',
    '0 0 * * MON-FRI/2',
    '@daily',
    '@every 90m',
  ])('%s is as it looks', (text) => {
    expect(parseSchedule(text)).toBeDefined();
    expect(slipsOf(text)).toEqual([]);
  });
});

describe('case A6: `@every`', () => {
  it.each([
    ['@every 500ms', 1],
    ['@every 1.5s', 1],
    ['TZ=UTC @every 90500ms', 90],
    ['@every 1ns', 1],
  ])('%s runs every %i s, and says so', (text, seconds) => {
    expect(parseSchedule(text)).toMatchObject({ kind: 'every', everyMs: seconds * 1_000 });
    expect(noticesOf(text)).toEqual([expect.stringContaining(`runs every ${String(seconds)} s:`)]);
  });
  it.each(['@every 1s', '@every 1h30m', '@every 1.5h', '0 * * * *'])('%s is as it says', (text) => {
    expect(noticesOf(text)).toEqual([]);
  });
});
