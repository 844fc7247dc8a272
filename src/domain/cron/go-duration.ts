/** Go's duration texts (`1h30m`, `1.5h`, `90s`), the only form `@every` takes (contract §9.2). */
import { quote, refuse } from './refuse.ts';

const SECOND = 1_000_000_000n;
const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  // Go takes the micro sign and the Greek letter.
  '\u00b5s': 1_000n,
  '\u03bcs': 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3_600n * SECOND,
};
/** What Go's 64 bits hold: about 292 years. */
const LONGEST = 2n ** 63n - 1n;
const WHOLE = /^\+?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+$/;
const PART = /(\d*)(?:\.(\d*))?(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/**
 * Nanoseconds of a duration text.
 * @throws DroverError SCHEDULE_INVALID for what Go does not parse, and for a duration that is not positive
 */
const nanosecondsIn = (text: string): bigint => {
  if (!WHOLE.test(text)) {
    const why = text.startsWith('-') ? 'is not positive' : 'is not a duration such as 90s, 5m or 1h30m';
    throw refuse(`@every: ${quote(text)} ${why}`);
  }
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(PART)) {
    const size = NANOSECONDS[unit] ?? 0n;
    total += BigInt(whole === '' ? '0' : whole) * size;
    total += (BigInt(fraction === '' ? '0' : fraction) * size) / 10n ** BigInt(fraction.length);
  }
  if (total === 0n) throw refuse(`@every: ${quote(text)} is not positive`);
  if (total > LONGEST) throw refuse(`@every: ${quote(text)} is longer than 292 years`);
  return total;
};

/** Is the beat of `@every <text>` another one than it says, because only whole seconds count? @throws DroverError SCHEDULE_INVALID */
export const isCut = (text: string): boolean => nanosecondsIn(text) % SECOND !== 0n;

/**
 * The beat of `@every <text>`, ms: whole seconds, what is below one is cut off, and one second at least (robfig/cron v3).
 * That library also makes one second of a negative duration; here it is refused.
 * @throws DroverError SCHEDULE_INVALID
 */
export const beatMs = (text: string): number => {
  const seconds = Number(nanosecondsIn(text) / SECOND);
  return Math.max(seconds, 1) * 1_000;
};
