/** More requests of one schedule than one pass takes (case E3). Both services on real stores, a scripted engine, a test clock. */
import { afterEach, describe, expect, it } from 'vitest';
import { createScheduleFleet, type FleetOptions, type ScheduleFleet } from '../support/schedule-fleet.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const START = Date.UTC(2026, 0, 10, 0, 0, 30);

let fleet: ScheduleFleet;
afterEach(() => fleet.close());
const open = async (options: Partial<FleetOptions> = {}): Promise<void> => {
  fleet = await createScheduleFleet({ startsAt: START, ...options });
};
const stateOf = (id: string) => fleet.drover().schedules.view.get(id);
const count = (type: string): number => fleet.told.filter(({ event }) => event.type === type).length;

describe('case E3: many requests at once', () => {
  it('case E3: sixty triggers that wait are sixty runs, each once', async () => {
    await open();
    await fleet.put('s', { schedule: '@yearly' });
    await fleet.settle();
    await Promise.all(Array.from({ length: 60 }, () => fleet.ask('s', { kind: 'trigger' })));
    await fleet.until(fleet.now() + 10 * MINUTE);
    const runs = await fleet.runs('s');
    expect(runs).toHaveLength(60);
    expect(new Set(runs.map(({ status }) => status))).toEqual(new Set(['succeeded']));
    expect(stateOf('s')).toMatchObject({ state: 'armed', runs: [] });
  });
  it('case E3: three hundred triggers: a hundred wait at most, the others are refused with a reason', async () => {
    await open({ endsWith: () => undefined });
    await fleet.put('s', { schedule: '@yearly' });
    await fleet.settle();
    await Promise.all(Array.from({ length: 300 }, () => fleet.ask('s', { kind: 'trigger' })));
    await fleet.until(fleet.now() + MINUTE);
    expect(stateOf('s')?.runs.length).toBeLessThanOrEqual(102);
    expect(count('RunClaimed') + count('RequestRefused')).toBe(300);
  });
  it.each(['disable', 'delete'])(
    'case E3: five backfills of 500 wait; %s stops it all',
    async (how) => {
      await open({ endsWith: () => undefined });
      await fleet.put('s', { schedule: '* * * * *' });
      await fleet.settle();
      for (let n = 0; n < 5; n += 1) {
        const from = START - (n + 1) * DAY;
        await fleet.ask('s', { kind: 'backfill', from, to: from + 499 * MINUTE, again: false });
      }
      await fleet.settle();
      expect(stateOf('s')?.runs.length).toBeGreaterThan(2_400);
      if (how === 'delete') await fleet.remove('s');
      else await fleet.put('s', { schedule: '* * * * *', config: { enabled: false } });
      await fleet.until(fleet.now() + 5 * MINUTE);
      expect(stateOf('s')).toMatchObject({ state: how === 'delete' ? 'deleted' : 'disabled', runs: [] });
    },
    60_000,
  );
});
