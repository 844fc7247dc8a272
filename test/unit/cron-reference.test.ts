/**
 * The same texts with the same meaning as in the reference (contract §9.2): golden/robfig-cron.jsonl is what its cron
 * library, robfig/cron v3.0.1, made of each of them (golden/robfig-cron.go). Where ours takes less or more is listed here.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSchedule } from '../../src/domain/cron/parse-schedule.ts';
import { slotsBetween } from '../../src/domain/cron/slots-between.ts';

/** Where the golden file starts, epoch ms: on a whole second, as the reference's `@every` counts from the one asked. */
const START = Date.parse('2027-02-28T12:34:56Z');

/** Refused here, though the reference's parser lets them through: what it makes of them, nobody can have meant. */
const STRICTER = [
  '1,,2 * * * *',
  ', * * * *',
  '*-5 * * * *',
  '?-?/2 * * * *',
  '+1 * * * *',
  '@every -5m',
  '@every 0s',
  'TZ= * * * * *',
  'TZ=Local * * * * *',
  '*\u00a0* * * *',
];
/** Taken here, though the reference's parser stumbles over them: white space around and between the words. */
const LOOSER = [' @daily', '  TZ=UTC @daily', '@daily ', '@every  5m', 'TZ=UTC\t0 5 * * *'];

interface Golden {
  readonly text: string;
  /** The first slots later than START, epoch s; null when refused, empty when it never fires. */
  readonly slots: readonly number[] | null;
}

const golden = readFileSync(join(import.meta.dirname, 'golden/robfig-cron.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Golden);

const ours = (text: string): readonly number[] | null => {
  try {
    const schedule = parseSchedule(text, { anchorAt: START });
    return slotsBetween(schedule, START, Number.POSITIVE_INFINITY, 4).slots.map((slot) => slot / 1_000);
  } catch {
    return null;
  }
};
const takenThere = ({ slots }: Golden): boolean => slots !== null && slots.length > 0;

describe('D1: texts mean what they mean in the reference', () => {
  it('those that both take have the same slots', () => {
    const both = golden.filter((line) => takenThere(line) && !STRICTER.includes(line.text));
    expect(both.length).toBeGreaterThan(200);
    expect(both.map(({ text }) => ({ text, slots: ours(text) }))).toEqual(both);
  });
  it('those that the reference refuses, or that never fire, are refused', () => {
    const refused = golden.filter((line) => !takenThere(line)).map(({ text }) => text);
    expect(refused.length).toBeGreaterThan(80);
    expect(refused.filter((text) => ours(text) !== null)).toEqual(LOOSER);
  });
  it('those that only the reference takes are refused', () => {
    expect(golden.filter(({ text, slots }) => STRICTER.includes(text) && slots !== null)).toHaveLength(STRICTER.length);
    expect(STRICTER.filter((text) => ours(text) !== null)).toEqual([]);
  });
});
