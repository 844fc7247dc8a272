/** Scheduled bots on the real engine: each slot one run, with its state, and a record that stays. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSpine, type Spine } from '../support/spine.ts';
import { scheduleSpine, type ScheduleSpine } from '../support/schedule-spine.ts';

describe('a scheduled bot', () => {
  let spine: Spine;
  let schedules: ScheduleSpine;
  beforeAll(async () => {
    spine = await startSpine();
    schedules = scheduleSpine(spine);
  });
  afterAll(() => spine.end());

  it('runs once in each slot, to its end, and keeps its state', async () => {
    await schedules.deploy('counter', { schedule: '*/3 * * * * *' });
    const runs = await schedules.ended('counter', 3);
    console.log(JSON.stringify(runs, null, 1));
    expect(runs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    await schedules.set('counter', { enabled: false });
  });
});
