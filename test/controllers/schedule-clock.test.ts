/** ScheduleService on a clock of the test's own: jumps, absences and years (faults R44, R45; features D5, D16). */
import { afterEach, describe, expect, it } from 'vitest';
import { createScheduleFleet, type FleetOptions, type ScheduleFleet } from '../support/schedule-fleet.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1, 0, 0, 30);

let fleet: ScheduleFleet;
afterEach(() => fleet.close());
const open = async (options: Partial<FleetOptions> = {}): Promise<void> => {
  fleet = await createScheduleFleet({ startsAt: START, ...options });
};
const slotsOf = async (id: string): Promise<readonly string[]> =>
  (await fleet.runs(id)).map(({ scheduledAt }) => new Date(scheduledAt).toISOString());
/** All that is said of slots, run or passed, in the order of the log. */
const accounted = (id: string): number =>
  fleet.told.reduce((sum, { kind, botId, event }) => {
    if (kind !== 'schedule' || botId !== id) return sum;
    if (event.type === 'SlotsPassed') return sum + event.count;
    return event.type === 'RunClaimed' ? sum + 1 : sum;
  }, 0);

describe('R44: the clock is set', () => {
  it('5 h ahead: one catch-up, every other slot recorded as missed', async () => {
    await open();
    await fleet.put('s', { schedule: '* * * * *' });
    await fleet.until(START + 3 * MINUTE);
    expect(await fleet.runs('s')).toHaveLength(3);
    await fleet.jump(5 * HOUR);
    const runs = await fleet.runs('s');
    expect(runs).toHaveLength(4);
    expect(runs.at(-1)).toMatchObject({ trigger: 'catchUp', status: 'succeeded' });
    expect(accounted('s')).toBe(3 + 300);
  });
  it('2 h back: no slot a second time, and it goes on where it had been', async () => {
    await open();
    await fleet.put('s', { schedule: '*/30 * * * *' });
    await fleet.until(START + 4 * HOUR);
    const before = await slotsOf('s');
    expect(before).toHaveLength(8);
    await fleet.jump(-2 * HOUR);
    await fleet.until(START + 5 * HOUR);
    const after = await slotsOf('s');
    expect(new Set(after).size).toBe(after.length);
    expect(after.slice(0, 8)).toEqual(before);
    expect(after.slice(8)).toEqual(['2026-01-01T04:30:00.000Z', '2026-01-01T05:00:00.000Z']);
  });
  it('a day ahead: a daily schedule loses no slot and runs none twice', async () => {
    await open();
    await fleet.put('s', { schedule: '@daily' });
    await fleet.until(START + 2 * DAY);
    await fleet.jump(DAY);
    await fleet.until(START + 5 * DAY);
    expect(await slotsOf('s')).toEqual([2, 3, 4, 5, 6].map((day) => `2026-01-0${String(day)}T00:00:00.000Z`));
  });
});

describe('D5: nobody is there for 3 h', () => {
  it.each([
    ['skip', {}, 0],
    ['last', {}, 1],
    ['all', { missedCap: 10 }, 10],
  ])('%s: %j', async (missed, more, expected) => {
    await open();
    await fleet.put('s', { schedule: '* * * * *', drover: { missed, ...more } });
    await fleet.until(START + MINUTE);
    await fleet.restart(() => void fleet.jump(3 * HOUR));
    const caughtUp = (await fleet.runs('s')).filter(({ trigger }) => trigger === 'catchUp');
    expect(caughtUp).toHaveLength(expected);
    expect(new Set(caughtUp.map(({ status }) => status))).toEqual(new Set(expected === 0 ? [] : ['succeeded']));
    expect(accounted('s')).toBe(181);
  });
});

describe('R45: years', () => {
  it('29 February, the 31st and once a year for five years: at their slots, and not a turn for nothing', async () => {
    await open();
    await fleet.put('leap', { schedule: '0 12 29 2 *' });
    await fleet.put('last', { schedule: '0 0 31 * *' });
    await fleet.put('yearly', { schedule: '@yearly' });
    await fleet.settle();
    expect(await fleet.runs('yearly')).toEqual([]);
    await fleet.until(Date.UTC(2031, 0, 1, 0, 0, 30));
    expect(await slotsOf('leap')).toEqual(['2028-02-29T12:00:00.000Z']);
    expect((await slotsOf('yearly')).map((slot) => slot.slice(0, 4))).toEqual(['2027', '2028', '2029', '2030', '2031']);
    const last = await slotsOf('last');
    expect(last).toHaveLength(5 * 7);
    expect(new Set(last.map((slot) => slot.slice(8, 10)))).toEqual(new Set(['31']));
    const { reconciles } = fleet.drover().schedules.view.metrics();
    expect(reconciles).toBeLessThan(41 * 8);
  });
});
