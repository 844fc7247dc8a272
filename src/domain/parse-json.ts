/**
 * JSON text as values, with what JavaScript's own parser loses: the text of numbers and the order of keys. That parser judges
 * the text, so what is walked here is known to be JSON. Nothing here calls itself: a text of any depth is safe.
 */
import { objectOf } from './json-object.ts';
import { shapeOf } from './json-shape.ts';
import { numberOf } from './written-number.ts';

/** No document store, and no printer that calls itself, is safe far below. */
export const MAX_DEPTH = 64;
/** Values in one document, of all levels together. */
export const MAX_VALUES = 200_000;

/** Why a text is not taken; `message` is a predicate, such as "is nested more than 64 levels deep". */
export class JsonRefused extends Error {
  /** No JSON at all, as opposed to one that is too much or unclear. */
  readonly isSyntax: boolean;

  constructor(message: string, isSyntax = false) {
    super(message);
    this.isSyntax = isSyntax;
  }
}

export const tooDeep = (most: number): string => `is nested more than ${String(most)} levels deep`;
export const tooMany = (most: number): string => `has more than ${String(most)} values`;

export interface ParseOptions {
  readonly maxDepth?: number;
  readonly maxValues?: number;
  /** Refuse an object that has one key twice; by default the last one counts, as in all usual parsers. */
  readonly uniqueKeys?: boolean;
}

interface Level {
  readonly entries: [string, unknown][] | undefined;
  readonly items: unknown[];
  key: string | undefined;
}

/** The index behind the string that begins at `from`. */
const stringEnd = (text: string, from: number): number => {
  for (let at = text.indexOf('"', from + 1); ; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text[at - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
};

const REST = /[^\s,:\]}]+/y;

const literal = (token: string): unknown =>
  token === 'true' ? true : token === 'false' ? false : token === 'null' ? null : numberOf(token);

const judge = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    // It may quote what stands there, which may be a secret.
    throw new JsonRefused(`is not JSON: ${message.replace(/, (?:\.\.\.)?".*$/s, '')}`, true);
  }
};

/** Is the value all that the text says? So it is with nearly every text that a program wrote. */
const isAll = (text: string, value: unknown): boolean => {
  try {
    return JSON.stringify(value) === text;
  } catch {
    // Nested deeper than that printer can follow.
    return false;
  }
};

const close = (level: Level, uniqueKeys: boolean): unknown => {
  const { entries, items } = level;
  if (entries === undefined) return items;
  if (uniqueKeys) {
    const seen = new Set<string>();
    for (const [key] of entries) {
      if (seen.has(key)) throw new JsonRefused(`has the key ${JSON.stringify(key.slice(0, 60))} twice in one object`);
      seen.add(key);
    }
  }
  return objectOf(entries);
};

/** @throws JsonRefused */
export const parseJson = (text: string, options: ParseOptions = {}): unknown => {
  const { maxDepth = MAX_DEPTH, maxValues = MAX_VALUES, uniqueKeys = false } = options;
  const whole = judge(text);
  if (isAll(text, whole)) {
    const { isTooDeep, isTooLarge } = shapeOf(whole, maxDepth, maxValues);
    if (isTooDeep) throw new JsonRefused(tooDeep(maxDepth));
    if (isTooLarge) throw new JsonRefused(tooMany(maxValues));
    return whole;
  }
  const levels: Level[] = [];
  let values = 0;
  let result: unknown;

  const add = (value: unknown): void => {
    const level = levels.at(-1);
    values += 1;
    if (values > maxValues) throw new JsonRefused(tooMany(maxValues));
    if (level === undefined) result = value;
    else if (level.entries === undefined) level.items.push(value);
    else {
      level.entries.push([level.key ?? '', value]);
      level.key = undefined;
    }
  };

  for (let at = 0; at < text.length;) {
    const char = text[at];
    if (char === '{' || char === '[') {
      if (levels.length >= maxDepth) throw new JsonRefused(tooDeep(maxDepth));
      levels.push({ entries: char === '{' ? [] : undefined, items: [], key: undefined });
      at += 1;
    } else if (char === '}' || char === ']') {
      const level = levels.pop();
      if (level !== undefined) add(close(level, uniqueKeys));
      at += 1;
    } else if (char === '"') {
      const end = stringEnd(text, at);
      const string = JSON.parse(text.slice(at, end)) as string;
      const level = levels.at(-1);
      if (level?.entries !== undefined && level.key === undefined) level.key = string;
      else add(string);
      at = end;
    } else if (char === ',' || char === ':' || char === ' ' || char === '\n' || char === '\r' || char === '\t') {
      at += 1;
    } else {
      REST.lastIndex = at;
      const token = REST.exec(text)?.[0] ?? '';
      add(literal(token));
      at += token.length;
    }
  }
  return result;
};
