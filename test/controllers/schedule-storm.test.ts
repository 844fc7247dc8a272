/** Fault R41, feature D15: very many slots in one second. The engine is scripted; real ones are in the faults' tests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { cases } from '../support/full.ts';
import { limitStarts, type LimitedStarts } from '../support/limited-starts.ts';
import { createScheduleFleet, type ScheduleFleet } from '../support/schedule-fleet.ts';
import { referenceDocument } from '../support/reference-document.ts';

const SCHEDULES = cases(300, 1_000);
const WIDTH = 4;
/** Fewer that take longer: the storm lasts as long, and there is time for what happens in the middle of it. */
const TOOK_MS = cases(10, 3);

describe(`R41: ${String(SCHEDULES)} due in the same second`, () => {
  let fleet: ScheduleFleet;
  afterAll(() => fleet.close());

  it('all run once, starts are limited, bots react meanwhile, and lateness is published', async () => {
    let limited: LimitedStarts | undefined;
    fleet = await createScheduleFleet({
      startsAt: 0,
      live: true,
      wrap: (engine, role) => (role === 'bot' ? engine : (limited = limitStarts(engine, WIDTH, TOOK_MS)).engine),
    });
    await fleet.putBot('trader', referenceDocument('trader'));
    const ids = Array.from({ length: SCHEDULES }, (_, n) => `s${String(n)}`);
    // Far enough away that all documents are there by then.
    const slot = Math.ceil(Date.now() / 1_000) * 1_000 + cases(12_000, 20_000);
    const at = new Date(slot);
    const text = `${String(at.getUTCSeconds())} ${String(at.getUTCMinutes())} ${String(at.getUTCHours())} * * *`;
    await Promise.all(ids.map((id) => fleet.put(id, { schedule: text })));
    const { view } = fleet.drover().schedules;
    await expect.poll(() => view.metrics().schedules.armed).toBe(SCHEDULES);
    expect(Date.now()).toBeLessThan(slot);
    await sleep(slot + 300 - Date.now());
    // In the middle of it a bot crashes: none of them is in its way.
    const starts = (): number =>
      fleet.told.filter(({ botId, event }) => botId === 'trader' && event.type === 'ContainerStarted').length;
    expect(starts()).toBe(1);
    await fleet.bots.hands.remove('trader');
    await fleet.putBot('trader', referenceDocument('trader', { config: { again: true } }));
    await expect.poll(starts).toBe(2);
    expect(view.metrics().outcomes.succeeded).toBeLessThan(SCHEDULES);

    await expect.poll(() => view.metrics().outcomes.succeeded, { timeout: 120_000 }).toBe(SCHEDULES);
    expect(limited?.most()).toBe(WIDTH);
    expect(limited?.created.size).toBe(SCHEDULES);
    expect([...(limited?.created.values() ?? [])].every((count) => count === 1)).toBe(true);
    const { lateness } = view.metrics();
    expect(lateness.count).toBe(SCHEDULES);
    // Starts at 4 at a time take longer than nothing, and that can be seen.
    expect(lateness.maxMs).toBeGreaterThan((SCHEDULES / WIDTH) * TOOK_MS);
    for (const id of [ids[0], ids[SCHEDULES - 1]]) {
      expect(await fleet.runs(id ?? '')).toMatchObject([{ scheduledAt: slot, status: 'succeeded', attempts: 1 }]);
    }
  }, 200_000);
});
