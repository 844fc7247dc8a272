/**
 * Golden logs of schedules, as those of bots: what was recorded once folds to the recorded end for ever, or
 * SCHEDULE_MACHINE_VERSION is raised. `GOLDEN_RECORD=1` writes logs that do not exist yet, never others.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../src/domain/recorded.ts';
import type { ScheduleState } from '../../src/domain/schedule-state.ts';
import { evolveSchedule, initialSchedule } from '../../src/machines/schedule/evolve-schedule.ts';
import { SCHEDULE_MACHINE_VERSION } from '../../src/machines/schedule/schedule-machine.ts';
import { toStoredSchedule, upcastSchedule } from '../../src/machines/schedule/upcast-schedule.ts';
import { createScheduleWorld } from '../support/schedule-world.ts';

const LOGS = join(import.meta.dirname, 'schedule-logs');
const START = Date.UTC(2026, 0, 1, 0, 0, 30);
const MINUTE = 60_000;

/** A life with most of what can happen to a schedule in it. */
const life = () => {
  const world = createScheduleWorld({
    cron: '* * * * *',
    startsAt: START,
    takesMs: (key) => (key.endsWith('002000Z') ? 600_000 : key.endsWith('0500Z') ? 150_000 : 1_000),
    fails: (key) => key.endsWith('0300Z'),
    policy: { maxLatenessMs: 1, overlap: 'queueOne' },
  });
  const asked = { actor: 'ann', reason: 'because', at: 0 };
  world.until(START + 8 * MINUTE);
  world.ask({ ...asked, requestId: 'p', kind: 'pause', until: START + 11 * MINUTE });
  world.until(START + 12 * MINUTE);
  world.ask({ ...asked, requestId: 't', kind: 'trigger' });
  world.until(START + 13 * MINUTE);
  world.ask({ ...asked, requestId: 'b', kind: 'backfill', from: START - 5 * MINUTE, to: START, again: false });
  world.until(START + 15 * MINUTE);
  world.set({ cron: '*/5 * * * *', policy: { overlap: 'replace' } });
  world.until(START + 25 * MINUTE);
  world.set({ enabled: false });
  world.until(START + 26 * MINUTE);
  world.set({ enabled: true });
  world.jump(3 * 60 * MINUTE);
  world.until(START + 210 * MINUTE);
  world.set({ exists: false });
  world.until(START + 215 * MINUTE);
  return { events: world.log.map(toStoredSchedule), end: world.state() };
};

interface Golden {
  readonly machineVersion: number;
  readonly end: ScheduleState;
}
if (process.env['GOLDEN_RECORD'] !== undefined) {
  const path = join(LOGS, `v${String(SCHEDULE_MACHINE_VERSION)}-life.jsonl`);
  if (!existsSync(path)) {
    const { events, end } = life();
    const head: Golden = { machineVersion: SCHEDULE_MACHINE_VERSION, end };
    writeFileSync(path, [head, ...events].map((line) => JSON.stringify(line)).join('\n') + '\n');
  }
}
const read = (file: string): { readonly golden: Golden; readonly events: readonly StoredEvent[] } => {
  const [head = '', ...lines] = readFileSync(join(LOGS, file), 'utf8').trimEnd().split('\n');
  return { golden: JSON.parse(head) as Golden, events: lines.map((line) => JSON.parse(line) as StoredEvent) };
};
const fold = (from: ScheduleState, events: readonly StoredEvent[]): ScheduleState =>
  events.map(upcastSchedule).reduce(evolveSchedule, from);

const files = readdirSync(LOGS).filter((file) => file.endsWith('.jsonl'));

describe('golden logs of schedules', () => {
  it('exist, and hold most kinds of events', () => {
    const kinds = new Set(files.flatMap((file) => read(file).events.map(({ type }) => type)));
    expect(kinds.size).toBeGreaterThanOrEqual(15);
  });
  it.each(files)('%s folds to its recorded end, and so does any prefix kept as JSON with the rest', (file) => {
    const { golden, events } = read(file);
    expect(fold(initialSchedule, events)).toEqual(golden.end);
    for (let cut = 0; cut < events.length; cut += 5) {
      const half = JSON.parse(JSON.stringify(fold(initialSchedule, events.slice(0, cut)))) as ScheduleState;
      expect(fold(half, events.slice(cut))).toEqual(golden.end);
    }
  });
  it('an event that its state cannot take is refused, not ignored; so is one of a newer drover', () => {
    expect(() => evolveSchedule(initialSchedule, { type: 'RunDropped', at: 1, key: 'k', reason: 'deadline' })).toThrow(
      /cannot happen in disabled/,
    );
    expect(() => upcastSchedule({ type: 'ScheduleEnabled', schema: 99, data: {} })).toThrow(/another drover/);
  });
});
