/** How a setting is read from text: kinds of values, each saying what it allows. */
import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `30s`, `500ms`, `2m`, `1h`, `1m30s`; a bare number is seconds. Undefined for anything else. Result in ms. */
export const parseDuration = (text: string): number | undefined => {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNITS[unit ?? ''] ?? 0),
    0,
  );
};

/** The shortest of its forms that `parseDuration` reads as just as long: 90s, 2m, 1500ms. */
export const writeDuration = (ms: number): string => {
  const [unit, size] = Object.entries(UNITS).findLast(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1];
  return `${String(ms / size)}${unit}`;
};

export const text = z.string();
export const whole = (min: number, max: number) =>
  z.string().transform((value, context) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= min && number <= max) return number;
    context.addIssue(`a whole number from ${String(min)} to ${String(max)}`);
    return z.NEVER;
  });
export const share = z.string().transform((value, context) => {
  const number = Number(value);
  if (value.trim() !== '' && number >= 0 && number <= 1) return number;
  context.addIssue('a number from 0 to 1');
  return z.NEVER;
});
const MILLISECONDS = { unit: 'ms' };
export const duration = (minMs: number) =>
  z
    .string()
    .transform((value, context) => {
      const ms = parseDuration(value);
      if (ms !== undefined && ms >= minMs) return ms;
      context.addIssue(`a duration of at least ${writeDuration(minMs)}, such as 500ms, 30s or 2m`);
      return z.NEVER;
    })
    .meta(MILLISECONDS);
const isDuration = (kind: z.ZodType): boolean => kind.meta()?.['unit'] === MILLISECONDS.unit;

/** A value of this kind as a user would write it. */
export const writeValue = (kind: z.ZodType, value: unknown): string =>
  isDuration(kind) ? writeDuration(Number(value)) : String(value);

export const flag = z.string().transform((value, context) => {
  if (/^(1|true|t|yes)$/i.test(value)) return true;
  if (/^(0|false|f|no)$/i.test(value)) return false;
  context.addIssue('true or false');
  return z.NEVER;
});
export const oneOf = <const T extends readonly string[]>(names: T) =>
  z.string().transform((value, context): T[number] => {
    const found = names.find((name) => name.toLowerCase() === value.toLowerCase());
    if (found !== undefined) return found;
    context.addIssue(`one of ${names.join(', ')}`);
    return z.NEVER;
  });
export const matching = (pattern: RegExp, what: string) => z.string().regex(pattern, what);

export const databaseName = matching(/^[^\s/\\."$*<>:|?]{1,63}$/, 'a database name');
export const bucketName = matching(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'a bucket name');

export interface Setting<T = unknown> {
  readonly env: string;
  readonly parse: z.ZodType<T, string>;
  /** As text, the way a user would write it. Empty: not set. */
  readonly default: string;
  readonly doc: string;
  readonly secret?: boolean;
  /** Other names that count when the first is not set. */
  readonly also?: readonly string[];
}

/** One row of the table. */
export const setting = <T>(
  env: string,
  parse: z.ZodType<T, string>,
  fallback: string,
  doc: string,
  secret = false,
  also: readonly string[] = [],
): Setting<T> => ({
  env,
  parse,
  default: fallback,
  doc,
  secret,
  also,
});
