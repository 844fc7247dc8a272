/** What a valid text means and its author probably did not: a step that leaves one value, a beat that is cut to seconds. */
import { DAY_OF_MONTH, DAY_OF_WEEK, HOUR, MINUTE, MONTH, SECOND, readField, type FieldKind } from './field.ts';
import { beatMs, isCut } from './go-duration.ts';
import { quote } from './refuse.ts';

const SIX: readonly FieldKind[] = [SECOND, MINUTE, HOUR, DAY_OF_MONTH, MONTH, DAY_OF_WEEK];
/** Go's letters for those units that have one. */
const UNIT: Readonly<Record<string, string>> = { second: 's', minute: 'm', hour: 'h' };

const wordsOf = (text: string): readonly string[] => {
  const words = text.split(/[\t\n\r ]+/).filter((word) => word !== '');
  return /^(?:CRON_)?TZ=/.test(words[0] ?? '') ? words.slice(1) : words;
};

const ofItem = (item: string, kind: FieldKind): readonly string[] => {
  const [range = '', step] = item.split('/');
  if (step === undefined) return [];
  const whole = readField(range, kind).values.length;
  // A value alone runs to the end of the field: `5/60` is the fifth minute of each hour, as it looks.
  const width = whole === 1 && !range.includes('-') ? kind.max - kind.min + 1 : whole;
  if (Number(step) <= width) return [];
  const [value = kind.min] = readField(item, kind).values;
  const unit = UNIT[kind.name];
  const beat = unit === undefined || range !== '*' ? '' : `, or \`@every ${step}${unit}\``;
  const meant = `it means ${kind.name} ${String(value)} alone`;
  return [
    `${kind.name} field: the step of ${quote(item)} is larger than its range, so ${meant}; write \`${String(value)}\`${beat}`,
  ];
};

/** Of a text that `parseSchedule` takes: what it means instead, with what to write. Other clocks take it as it is. */
export const slipsOf = (text: string): readonly string[] => {
  const words = wordsOf(text);
  if (words[0]?.startsWith('@') === true) return [];
  const kinds = words.length === 5 ? SIX.slice(1) : SIX;
  return words.flatMap((word, n) => {
    const kind = kinds[n];
    return kind === undefined ? [] : word.split(',').flatMap((item) => ofItem(item, kind));
  });
};

/** Of a text that `parseSchedule` takes: what is not exactly as it is written, and cannot be. */
export const noticesOf = (text: string): readonly string[] => {
  const [word, beat] = wordsOf(text);
  if (word !== '@every' || beat === undefined || !isCut(beat)) return [];
  const every = String(beatMs(beat) / 1_000);
  return [
    `\`@every ${beat}\` runs every ${every} s: parts of a second are cut off, and one second is the shortest interval`,
  ];
};
