/** The clock is far ahead for a moment and is corrected (case E6). Both services on real stores, a scripted engine, a test clock. */
import { afterEach, describe, expect, it } from 'vitest';
import { createScheduleFleet, type FleetOptions, type ScheduleFleet } from '../support/schedule-fleet.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 10, 0, 0, 30);
const TICK = 30_000;

let fleet: ScheduleFleet;
afterEach(() => fleet.close());
const open = async (options: Partial<FleetOptions> = {}): Promise<void> => {
  fleet = await createScheduleFleet({ startsAt: START, resyncIntervalMs: TICK, ...options });
};
const slots = async (id: string): Promise<readonly number[]> =>
  (await fleet.runs(id)).map(({ scheduledAt }) => scheduledAt);
const every = (from: number, count: number, ms: number): readonly number[] =>
  Array.from({ length: count }, (_none, n) => from + n * ms);
const healthy = (id: string) =>
  fleet
    .drover()
    .schedules.view.get(id)
    ?.conditions.find(({ type }) => type === 'ScheduleHealthy');

describe('case E6: a clock that is 30 days ahead for a moment', () => {
  it.each(['last', 'skip', 'all'])(
    'case E6: no slot is lost after it is corrected, and none runs twice (missed: %s)',
    async (missed) => {
      await open();
      await fleet.put('s', { schedule: '*/5 * * * *', drover: { missed } });
      await fleet.until(START + 10 * MINUTE);
      await fleet.jump(30 * DAY);
      await fleet.jump(-30 * DAY);
      const ahead = (await slots('s')).filter((slot) => slot > START + 11 * MINUTE);
      expect(ahead.length).toBeLessThanOrEqual(10);
      // A tick finds it.
      await fleet.until(START + 11 * MINUTE);
      expect(healthy('s')).toMatchObject({ status: 'False', reason: 'ClockBehind' });
      await fleet.until(START + 60 * MINUTE);
      const ran = await slots('s');
      expect(new Set(ran).size).toBe(ran.length);
      expect(ran.filter((slot) => slot <= START + HOUR)).toEqual(every(START + 4.5 * MINUTE, 12, 5 * MINUTE));
      expect(healthy('s')).toMatchObject({ status: 'True' });
      expect(fleet.told.filter(({ event }) => event.type === 'SlotsSetBack')).toHaveLength(1);
    },
  );
  it('case E6: slots that ran while it was ahead do not run when their time comes', async () => {
    await open({ resyncIntervalMs: HOUR });
    await fleet.put('s', { schedule: '0 0 * * *' });
    await fleet.until(START + MINUTE);
    await fleet.jump(3 * DAY);
    await fleet.until(fleet.now() + DAY);
    // Ahead: the third day at once, and the fourth in its time.
    expect(await slots('s')).toEqual([3, 4].map((day) => START - 30_000 + day * DAY));
    await fleet.jump(-3 * DAY);
    await fleet.until(START + 6 * DAY);
    expect([...(await slots('s'))].sort((a, b) => a - b)).toEqual(
      [2, 3, 4, 5, 6].map((day) => START - 30_000 + day * DAY),
    );
    expect(fleet.told.filter(({ event }) => event.type === 'SlotsPassed' && event.reason === 'alreadyRan')).not.toEqual(
      [],
    );
  });
  it('case E6: another text, disabling and enabling, and deleting and creating while it was ahead lose no slot either', async () => {
    await open();
    for (const id of ['text', 'toggled', 'again']) await fleet.put(id, { schedule: '*/5 * * * *' });
    await fleet.until(START + 10 * MINUTE);
    await fleet.jump(30 * DAY);
    await fleet.put('text', { schedule: '*/10 * * * *' });
    await fleet.put('toggled', { schedule: '*/5 * * * *', enabled: false });
    await fleet.remove('again');
    await fleet.settle();
    await fleet.put('toggled', { schedule: '*/5 * * * *', enabled: true });
    await fleet.put('again', { schedule: '@every 5m' });
    await fleet.settle();
    await fleet.jump(-30 * DAY);
    await fleet.until(START + 70 * MINUTE);
    const after = async (id: string): Promise<number> =>
      (await slots(id)).filter((slot) => slot > START + 11 * MINUTE && slot <= START + 70 * MINUTE).length;
    expect(await after('text')).toBe(6);
    expect(await after('toggled')).toBe(12);
    expect(await after('again')).toBeGreaterThanOrEqual(11);
  });
  it('case E6: a bot that waits for its restart waits as long as it would have', async () => {
    await open();
    const document = {
      id: 'b',
      config: { name: 'b', type: 'realtime/b', version: '1.0.0' },
      custom: {
        version: '1.0.0',
        filePath: 'u/b/1',
        config: { runtime: 'nodejs20', type: 'realtime', entrypoints: { bot: 'main.js' } },
      },
    };
    await fleet.putBot('b', document);
    await fleet.until(START + MINUTE);
    const state = () => fleet.drover().states.get('b');
    expect(state()?.state).toBe('running');
    await fleet.jump(30 * DAY);
    await fleet.bots.hands.exit('b', 1);
    // Its crash is seen and its retry set 30 days ahead, and then the clock is right again.
    await fleet.until(fleet.now() + TICK + 100);
    await fleet.jump(-30 * DAY);
    await fleet.until(fleet.now() + 3 * MINUTE);
    expect(state()?.state).toBe('running');
  });
});
