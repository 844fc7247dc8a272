/**
 * One field of a cron text, read as strictly as the reference's parser (robfig/cron v3, contract §9.2) and never more
 * loosely: lists of `*`, `?`, numbers, names and ranges, each with an optional step. Where that parser guesses (`*-5`,
 * an empty list item, a sign), this one refuses.
 */
import { quote, refuse } from './refuse.ts';

/** What a field may hold. */
export interface FieldKind {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names by their place: the first one stands for `min`. Any case. */
  readonly names?: readonly string[];
}

export const SECOND: FieldKind = { name: 'second', min: 0, max: 59 };
export const MINUTE: FieldKind = { name: 'minute', min: 0, max: 59 };
export const HOUR: FieldKind = { name: 'hour', min: 0, max: 23 };
export const DAY_OF_MONTH: FieldKind = { name: 'day-of-month', min: 1, max: 31 };
export const MONTH: FieldKind = {
  name: 'month',
  min: 1,
  max: 12,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
/** Sunday is 0. There is no 7: the reference refuses it. */
export const DAY_OF_WEEK: FieldKind = {
  name: 'day-of-week',
  min: 0,
  max: 6,
  names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
};

export interface Field {
  /** Ascending, without repetition, never empty. */
  readonly values: readonly number[];
  /** It holds an unrestricted `*` or `?`. A step above 1 restricts: every second day is a choice of days. */
  readonly star: boolean;
  /** It holds a `*`, a `?` or a step. */
  readonly wild: boolean;
}

const ITEM = /^(\*|\?|[A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?(?:\/(\d+))?$/;

const numberIn = (piece: string, kind: FieldKind): number => {
  const place = kind.names?.indexOf(piece.toLowerCase()) ?? -1;
  if (place >= 0) return kind.min + place;
  if (!/^\d+$/.test(piece)) {
    const names = kind.names === undefined ? '' : ` or a name such as ${kind.names[0]?.toUpperCase() ?? ''}`;
    throw refuse(`${kind.name} field: ${quote(piece)} is not a number${names}`);
  }
  const value = Number(piece);
  if (value < kind.min) throw refuse(`${kind.name} field: ${quote(piece)} is below ${String(kind.min)}`);
  if (value > kind.max) {
    const hint = kind === DAY_OF_WEEK && value === 7 ? '; Sunday is 0' : '';
    throw refuse(`${kind.name} field: ${quote(piece)} is above ${String(kind.max)}${hint}`);
  }
  return value;
};

const stepIn = (piece: string | undefined, kind: FieldKind): number => {
  const step = Number(piece ?? 1);
  if (step === 0) throw refuse(`${kind.name} field: the step must not be 0`);
  return step;
};

/** A single value with a step runs to the end of the field, as in the reference: `5/15` is `5-59/15`. */
const lastIn = (first: number, until: string | undefined, stepped: boolean, kind: FieldKind): number =>
  until !== undefined ? numberIn(until, kind) : stepped ? kind.max : first;

const readItem = (item: string, kind: FieldKind): Field => {
  if (item === '') throw refuse(`${kind.name} field: the list has an empty item`);
  const [, from, until, by] = ITEM.exec(item) ?? [];
  if (from === undefined)
    throw refuse(`${kind.name} field: ${quote(item)} is not valid; L, W, # and similar extensions are not supported`);
  const any = from === '*' || from === '?';
  if (any && until !== undefined) throw refuse(`${kind.name} field: ${quote(item)} is a range without a start`);
  const step = stepIn(by, kind);
  const first = any ? kind.min : numberIn(from, kind);
  const last = any ? kind.max : lastIn(first, until, by !== undefined, kind);
  if (first > last) throw refuse(`${kind.name} field: the range ${quote(item)} ends before it starts`);
  const values: number[] = [];
  for (let value = first; value <= last; value += step) values.push(value);
  return { values, star: any && step === 1, wild: any || by !== undefined };
};

/**
 * One field of a text.
 * @throws DroverError SCHEDULE_INVALID with the field and the piece that is wrong
 */
export const readField = (text: string, kind: FieldKind): Field => {
  const items = text.split(',').map((item) => readItem(item, kind));
  return {
    values: [...new Set(items.flatMap(({ values }) => values))].sort((a, b) => a - b),
    star: items.some(({ star }) => star),
    wild: items.some(({ wild }) => wild),
  };
};
