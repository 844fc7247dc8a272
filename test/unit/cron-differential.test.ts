/**
 * R43: our slots and those of a second library over 10 years × 31 zones; every difference has one of three reasons.
 * A run samples, by a seed that it prints; FULL=1 compares everything (about ten minutes),
 * CRON_SEED=<n> repeats a sample.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../src/domain/cron/parse-schedule.ts';
import { FROM, TEXTS, TO, ZONES, compare, explain, type Reason } from '../support/cron-comparison.ts';
import { FULL } from '../support/full.ts';
import { HOUR, changesIn } from '../support/wall-clock.ts';

const SEED = Number(process.env['CRON_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const SAMPLES = 12;
const YEARS = Array.from({ length: 10 }, (_, index) => 2016 + index);

const sampled = (): void => {
  it('a sample of texts, zones and years', () => {
    console.log(`cron differential: CRON_SEED=${String(SEED)}`);
    const one = { text: fc.constantFrom(...TEXTS), zone: fc.constantFrom(...ZONES), year: fc.constantFrom(...YEARS) };
    const some = fc.sample(fc.record(one), {
      seed: SEED,
      numRuns: SAMPLES,
    });
    const unexplained = some.flatMap(
      ({ text, zone, year }) => compare(text, zone, Date.UTC(year), Date.UTC(year + 1)).unexplained,
    );
    expect(unexplained).toEqual([]);
  });
};

const full = (): void => {
  const slots = new Map<string, number>();
  const reasons = new Map<Reason, number>();
  it.each(ZONES)('every text over ten years in %s', { timeout: 1_800_000 }, (zone) => {
    const unexplained = TEXTS.flatMap((text) => {
      const comparison = compare(text, zone, FROM, TO);
      slots.set(zone, (slots.get(zone) ?? 0) + comparison.slots);
      for (const [reason, count] of comparison.explained) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
      return comparison.unexplained;
    });
    expect(unexplained).toEqual([]);
  });
  it('is compared in full', () => {
    const all = [...slots.values()].reduce((sum, count) => sum + count, 0);
    console.log(`cron differential: ${String(all)} slots, ${String(TEXTS.length)} texts, ${String(slots.size)} zones`);
    for (const [reason, count] of reasons) console.log(`cron differential: ${String(count)} × ${reason}`);
    expect(slots.size).toBe(ZONES.length);
    expect(reasons.size).toBe(3);
  });
};

describe('R43, D3: the same slots as a second library, but for what is explained', () => {
  if (FULL) full();
  else sampled();

  it.each<[string, string, number, Reason, number]>([
    ['*/15 2 * * *', 'Europe/Berlin', 2025, 'minutes by the wildcard in a fixed hour', 5],
    ['0 */24 * * *', 'Africa/Cairo', 2024, 'one hour, or all hours, written otherwise', 1],
    ['0 0-23 * * *', 'Europe/Berlin', 2025, 'one hour, or all hours, written otherwise', 1],
    ['30 23 * * *', 'America/Nuuk', 2024, 'a gap that ends on the next day', 1],
  ])('%s in %s in %i differs: %s', (text, zone, year, reason, count) => {
    const comparison = compare(text, zone, Date.UTC(year), Date.UTC(year + 1));
    expect([...comparison.explained]).toEqual([[reason, count]]);
    expect(comparison.unexplained).toEqual([]);
  });

  it('can fail: a slot too many or too few has no reason, not even where the clock is changed', () => {
    const schedule = parseSchedule('30 2 * * *', { timeZone: 'Europe/Berlin' });
    if (schedule.kind !== 'fields') throw new Error('it has fields');
    const changes = changesIn('Europe/Berlin', Date.UTC(2025), Date.UTC(2026));
    expect(changes).toHaveLength(2);
    for (const { at } of changes) {
      expect(explain(schedule, [at], [], changes).unexplained).toHaveLength(1);
      expect(explain(schedule, [], [at], changes).unexplained).toHaveLength(1);
      expect(explain(schedule, [at + HOUR], [at], changes).unexplained).toHaveLength(2);
    }
  });
});
