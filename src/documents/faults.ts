/** What is wrong with a document, field by field: a JSON pointer and one short sentence. Nothing here quotes a secret. */
import type { z } from 'zod';
import { nearestName } from './nearest-name.ts';

export interface DocumentFault {
  readonly pointer: string;
  readonly message: string;
}

const LONGEST_KEY = 60;

/** One step of a JSON pointer; what is too long for a message is cut. */
export const pointerStep = (key: PropertyKey): string => {
  const text = String(key);
  const short = text.length > LONGEST_KEY ? `${text.slice(0, LONGEST_KEY)}…` : text;
  return short.replaceAll('~', '~0').replaceAll('/', '~1');
};

export const pointerOf = (at: string, path: readonly PropertyKey[]): string =>
  `${at}/${path.map(pointerStep).join('/')}`;

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
};

/** The kind of a value, for a message; never the value. */
export const kindOf = (value: unknown): string => {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'boolean':
      return String(value);
    case 'number':
      return Number.isInteger(value) ? 'a number' : 'a fraction';
    default:
      return 'an object';
  }
};

const typeMessage = (expected: string, input: unknown): string => {
  if (input === undefined) return 'is missing';
  const what = EXPECTED[expected] ?? expected;
  if (expected === 'string' && (typeof input === 'number' || typeof input === 'boolean')) {
    return `must be ${what}, not ${kindOf(input)}: put it in quotes`;
  }
  return `must be ${what}, not ${input === null ? 'empty' : kindOf(input)}`;
};

const quoted = (values: readonly unknown[]): string => values.map((value) => `\`${String(value)}\``).join(', ');

const valueMessage = (values: readonly unknown[], input: unknown): string => {
  if (input === undefined) return 'is missing';
  const nearest =
    typeof input === 'string'
      ? nearestName(
          input,
          values.filter((value) => typeof value === 'string'),
        )
      : undefined;
  return `must be one of ${quoted(values)}${nearest === undefined ? '' : `; did you mean \`${nearest}\`?`}`;
};

const plural = (count: number | bigint, what: string): string =>
  `${String(count)} ${what}${Number(count) === 1 ? '' : 's'}`;

const sizeMessage = (bound: 'least' | 'most', origin: string, size: number | bigint): string => {
  if (origin === 'string' && bound === 'least' && Number(size) === 1) return 'is empty';
  if (origin === 'string') return `must have at ${bound} ${plural(size, 'character')}`;
  if (origin === 'array' || origin === 'object') return `must have at ${bound} ${plural(size, 'member')}`;
  return `must be at ${bound} ${String(size)}`;
};

/** One sentence for what a schema finds wrong, in our words. */
export const plainError: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return typeMessage(issue.expected, issue.input);
    case 'invalid_value':
      return valueMessage(issue.values, issue.input);
    case 'too_small':
      return sizeMessage('least', issue.origin, issue.minimum);
    case 'too_big':
      return sizeMessage('most', issue.origin, issue.maximum);
    case 'unrecognized_keys':
      return `has the unknown ${issue.keys.length === 1 ? 'key' : 'keys'} ${quoted(issue.keys)}`;
    default:
      return undefined;
  }
};

/** The faults of a schema, each at its place. `known`: names that an unknown key may have meant. */
export const toFaults = (error: z.ZodError, at: string, known: readonly string[] = []): DocumentFault[] =>
  error.issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ pointer: pointerOf(at, issue.path), message: issue.message }];
    return issue.keys.map((key) => ({
      pointer: pointerOf(at, [...issue.path, key]),
      message: unknownKey(key, known),
    }));
  });

/** What is said of a key that we do not know. */
export const unknownKey = (key: string, known: readonly string[]): string => {
  const nearest = nearestName(key, known);
  return nearest === undefined ? 'is not known' : `is not known; did you mean \`${nearest}\`?`;
};
