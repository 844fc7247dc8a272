/** A run is decided by what it began with, and its tries are counted in full (cases E4, E5). */
import { afterEach, describe, expect, it } from 'vitest';
import { createScheduleFleet, type FleetOptions, type ScheduleFleet } from '../support/schedule-fleet.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 10, 0, 0, 30);
const SLOT = START + 29.5 * MINUTE;
const KEY = 's/20260110T003000Z';

let fleet: ScheduleFleet;
afterEach(() => fleet.close());
const open = async (options: Partial<FleetOptions> = {}): Promise<void> => {
  fleet = await createScheduleFleet({ startsAt: START, ...options });
};
const starts = (): number => fleet.told.filter(({ event }) => event.type === 'ContainerStartRequested').length;
const outcomes = async (): Promise<readonly string[]> => (await fleet.runs('s')).map(({ status }) => status);

describe('case E4: the document is broken while a run goes on', () => {
  it.each([
    ['ended well', 0, 0, 'succeeded'],
    ['failed', 1, 0, 'failed'],
    ['ended well, with retries', 0, 3, 'succeeded'],
  ])(
    'case E4: a run that %s meanwhile has ended, and its slot does not run again',
    async (_how, code, retries, status) => {
      await open({ endsWith: () => undefined });
      await fleet.put('s', { schedule: '*/30 * * * *', drover: { retries } });
      await fleet.until(SLOT + MINUTE);
      expect(starts()).toBe(1);
      await fleet.putRaw('s', { id: 's', config: { schedule: 'nonsense' }, custom: {} });
      await fleet.settle();
      await fleet.exit(KEY, code);
      await fleet.until(SLOT + 5 * MINUTE);
      expect(await outcomes()).toEqual([status]);
      await fleet.put('s', { schedule: '*/30 * * * *', drover: { retries } });
      await fleet.until(SLOT + 20 * MINUTE);
      expect(starts()).toBe(1);
      expect(await outcomes()).toEqual([status]);
    },
  );
  it('case E4: a run goes on with the retries and the limit of time that it began with', async () => {
    await open({ endsWith: (_id, attempt) => (attempt <= 2 ? 1 : undefined) });
    await fleet.put('s', { schedule: '@yearly', drover: { retries: 2, retryFirstSeconds: 60, maxRunSeconds: 600 } });
    await fleet.settle();
    await fleet.ask('s', { kind: 'trigger' });
    await fleet.settle();
    await fleet.put('s', { schedule: '@yearly', drover: { retries: 0, maxRunSeconds: 86_400 } });
    await fleet.until(START + 5 * MINUTE);
    expect(starts()).toBe(3);
    await fleet.putRaw('s', { id: 's', config: { schedule: 'nonsense' }, custom: {} });
    await fleet.until(START + 30 * MINUTE);
    expect(fleet.told.filter(({ event }) => event.type === 'RunStopRequested')).toMatchObject([
      { event: { reason: 'timedOut' } },
    ]);
  });
});

describe('case E5: tries are counted', () => {
  it.each([0, 1, 49, 50, 60, 100])(
    'case E5: with retries %i a run that always fails has one try more',
    async (retries) => {
      await open({ endsWith: () => 1 });
      await fleet.put('s', { schedule: '@yearly', drover: { retries, retryFirstSeconds: 1, retryMaxSeconds: 1 } });
      await fleet.settle();
      await fleet.ask('s', { kind: 'trigger' });
      await fleet.until(START + HOUR);
      expect(starts()).toBe(retries + 1);
      expect(await fleet.runs('s')).toMatchObject([{ status: 'failed', attempts: retries + 1 }]);
    },
    60_000,
  );
  it('case E5: without a delay a second passes between two tries', async () => {
    await open({ endsWith: () => 1 });
    await fleet.put('s', { schedule: '@yearly', drover: { retries: 100, retryFirstSeconds: 0, retryMaxSeconds: 0 } });
    await fleet.settle();
    await fleet.ask('s', { kind: 'trigger' });
    await fleet.until(START + 10_000);
    expect(starts()).toBeGreaterThan(5);
    expect(starts()).toBeLessThan(13);
  });
});
