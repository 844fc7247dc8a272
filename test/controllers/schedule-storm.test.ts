/** Fault R41, feature D15: very many slots in one second. The engine is scripted; real ones are in the faults' tests. */
import { afterAll, describe, expect, it } from 'vitest';
import { cases } from '../support/full.ts';
import { aGate } from '../support/gate.ts';
import { limitStarts, type LimitedStarts } from '../support/limited-starts.ts';
import { createScheduleFleet, type ScheduleFleet } from '../support/schedule-fleet.ts';
import { referenceDocument } from '../support/reference-document.ts';

const SCHEDULES = cases(300, 1_000);
const WIDTH = 4;
const TOOK_MS = 3;
const START = Date.UTC(2026, 0, 1, 0, 0, 30);
const SLOT = START + 30_000;

describe(`R41: ${String(SCHEDULES)} due in the same second`, () => {
  let fleet: ScheduleFleet;
  afterAll(() => fleet.close(), 60_000);

  it('all run once, starts are limited, bots react meanwhile, and lateness is published', async () => {
    let limited: LimitedStarts | undefined;
    const storm = aGate();
    const takes = async (): Promise<void> => {
      await storm.pass();
      fleet.pass(TOOK_MS);
    };
    fleet = await createScheduleFleet({
      startsAt: START,
      wrap: (engine, role) => (role === 'bot' ? engine : (limited = limitStarts(engine, WIDTH, takes)).engine),
    });
    await fleet.putBot('trader', referenceDocument('trader'));
    const ids = Array.from({ length: SCHEDULES }, (_, n) => `s${String(n)}`);
    await Promise.all(ids.map((id) => fleet.put(id, { schedule: '* * * * *' })));
    const { view } = fleet.drover().schedules;
    await expect.poll(() => view.metrics().schedules.armed).toBe(SCHEDULES);
    const starts = (): number =>
      fleet.told.filter(({ botId, event }) => botId === 'trader' && event.type === 'ContainerStarted').length;
    await expect.poll(starts).toBe(1);
    fleet.pass(SLOT - fleet.now());
    // In the middle of it a bot crashes, while all that may be made at once is being made: none of them is in its way.
    await storm.reached(WIDTH);
    await fleet.bots.hands.remove('trader');
    await fleet.putBot('trader', referenceDocument('trader', { config: { again: true } }));
    await expect
      .poll(() => {
        // It waits a while before it is made again.
        fleet.pass(100);
        return starts();
      })
      .toBe(2);
    expect(view.metrics().outcomes.succeeded).toBe(0);
    expect(limited?.most()).toBe(WIDTH);
    storm.open();

    await expect.poll(() => view.metrics().outcomes.succeeded, { timeout: 120_000 }).toBe(SCHEDULES);
    expect(limited?.most()).toBe(WIDTH);
    expect(limited?.created.size).toBe(SCHEDULES);
    expect([...(limited?.created.values() ?? [])].every((count) => count === 1)).toBe(true);
    const { lateness } = view.metrics();
    expect(lateness.count).toBe(SCHEDULES);
    // Starts at 4 at a time take longer than nothing, and that can be seen.
    expect(lateness.maxMs).toBeGreaterThan((SCHEDULES / WIDTH) * TOOK_MS);
    for (const id of [ids[0], ids[SCHEDULES - 1]]) {
      expect(await fleet.runs(id ?? '')).toMatchObject([{ scheduledAt: SLOT, status: 'succeeded', attempts: 1 }]);
    }
  }, 200_000);
});
