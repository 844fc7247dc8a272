/**
 * A schedule's text, checked in every piece before anything is made of it (contract §9.2, feature D1): five fields
 * (minute first), six (second first), the `@` descriptors, `@every <duration>`, each with an optional `TZ=`/`CRON_TZ=`
 * before it. What a library would guess at is refused with the reason.
 */
import { DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH, SECOND, readField, type Field } from './field.ts';
import { beatMs } from './go-duration.ts';
import { patternOf, type SixFields } from './pattern.ts';
import { quote, refuse } from './refuse.ts';
import type { FieldsSchedule, GapRule, HourRule, Schedule } from './schedule.ts';
import { knownZone } from './time-zone.ts';

export interface ParseOptions {
  /** The schedule's own zone. A zone in the text has to be the same one: two answers to one question are refused. */
  readonly timeZone?: string | undefined;
  /** The zone of a schedule that names none. */
  readonly defaultTimeZone?: string | undefined;
  /** Where the beat of `@every` starts, epoch ms: the first slot is one beat later, as in the reference. */
  readonly anchorAt?: number | undefined;
  /** What becomes of a fixed time that the clock jumps over (feature D3). */
  readonly inGap?: GapRule | undefined;
}

/** Longer than any sensible text: six fields that list every value are shorter. */
const LONGEST = 1_000;

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@annually': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@midnight': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
};

/** Words of a text; only ASCII white space parts them, so that nothing unseen does. */
const wordsOf = (text: string): readonly string[] => {
  if (text.length > LONGEST) throw refuse(`the expression is longer than ${String(LONGEST)} characters`);
  // µ and μ are Go's units, the only characters beyond ASCII that a text may have.
  const stranger = /[^\t\n\r\x20-\x7e\u00b5\u03bc]/u.exec(text)?.[0];
  if (stranger !== undefined) {
    const code = (stranger.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw refuse(`the expression contains the character U+${code}`);
  }
  return text.split(/[\t\n\r ]+/).filter((word) => word !== '');
};

/** The zone in front of a text, and the words behind it. */
const splitZone = (words: readonly string[]): { readonly zone?: string; readonly rest: readonly string[] } => {
  const zone = /^(?:CRON_)?TZ=(.*)$/.exec(words[0] ?? '')?.[1];
  return zone === undefined ? { rest: words } : { zone: knownZone(zone), rest: words.slice(1) };
};

const zoneOf = (inText: string | undefined, { timeZone, defaultTimeZone = 'UTC' }: ParseOptions): string => {
  const own = timeZone === undefined ? undefined : knownZone(timeZone);
  if (own !== undefined && inText !== undefined && own !== inText)
    throw refuse(
      `the expression names the time zone ${quote(inText)} and the settings name ${quote(own)}; remove one of them`,
    );
  return inText ?? own ?? knownZone(defaultTimeZone);
};

const readFields = (words: readonly string[]): SixFields => {
  const [second, minute, hour, dayOfMonth, month, dayOfWeek] = words.length === 5 ? ['0', ...words] : words;
  if (words.length > 6 || dayOfWeek === undefined || !second || !minute || !hour || !dayOfMonth || !month)
    throw refuse(
      `${quote(words.join(' '))} has ${String(words.length)} field${words.length === 1 ? '' : 's'}; ` +
        'use 5 (minute first) or 6 (second first)',
    );
  return {
    second: readField(second, SECOND),
    minute: readField(minute, MINUTE),
    hour: readField(hour, HOUR),
    dayOfMonth: readField(dayOfMonth, DAY_OF_MONTH),
    month: readField(month, MONTH),
    dayOfWeek: readField(dayOfWeek, DAY_OF_WEEK),
  };
};

/** A step that leaves one hour, and a list of all of them, are what they come to, not how they are written. */
const hourRule = ({ values, wild }: Field): HourRule =>
  values.length === 24 || (wild && values.length > 1) ? 'elapsed' : 'fixed';

type Frame = Pick<FieldsSchedule, 'text' | 'timeZone' | 'inGap'>;

const fromFields = (words: readonly string[], frame: Frame): FieldsSchedule => {
  const fields = readFields(words);
  return { kind: 'fields', ...frame, pattern: patternOf(fields), hours: hourRule(fields.hour) };
};

const fromDescriptor = (words: readonly string[], frame: Frame, anchorAt: number): Schedule => {
  const [name = '', ...more] = words;
  const { text, timeZone } = frame;
  if (name === '@every') {
    const [duration] = more;
    if (duration === undefined || more.length > 1) throw refuse('@every takes one duration, such as @every 1h30m');
    return { kind: 'every', text, timeZone, everyMs: beatMs(duration), anchorAt: Math.floor(anchorAt / 1_000) * 1_000 };
  }
  const meaning = Object.hasOwn(DESCRIPTORS, name) ? DESCRIPTORS[name] : undefined;
  if (meaning === undefined)
    throw refuse(`${quote(name)} is none of ${Object.keys(DESCRIPTORS).join(', ')} and @every`);
  if (more.length > 0) throw refuse(`${quote(more.join(' '))} after ${name} has no meaning`);
  return fromFields(meaning.split(' '), frame);
};

/**
 * The meaning of a schedule's text.
 * @throws DroverError SCHEDULE_INVALID with the reason: a text or zone that is wrong, or one that can never fire
 */
export const parseSchedule = (text: string, options: ParseOptions = {}): Schedule => {
  const { zone, rest } = splitZone(wordsOf(text));
  if (rest.length === 0) throw refuse('the expression is empty');
  const frame: Frame = { text: text.trim(), timeZone: zoneOf(zone, options), inGap: options.inGap ?? 'run' };
  return rest[0]?.startsWith('@') === true
    ? fromDescriptor(rest, frame, options.anchorAt ?? 0)
    : fromFields(rest, frame);
};
