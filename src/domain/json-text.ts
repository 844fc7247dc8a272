/** Values as JSON text, with every number and every order of keys as it was written. */
import { orderedKeys } from './json-object.ts';
import { WrittenNumber } from './written-number.ts';

const hasForm = (value: object): value is { toJSON: () => unknown } =>
  typeof (value as { toJSON?: unknown }).toJSON === 'function';

/** Undefined for what JSON cannot express, as `JSON.stringify` does. */
const print = (value: unknown, indent: string, line: string): string | undefined => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (value instanceof WrittenNumber) return value.text;
  if (hasForm(value)) return print(value.toJSON(), indent, line);
  const inner = line + indent;
  const parts = Array.isArray(value)
    ? value.map((item) => print(item, indent, inner) ?? 'null')
    : orderedKeys(value).flatMap((key) => {
        const member = print((value as Record<string, unknown>)[key], indent, inner);
        return member === undefined ? [] : [`${JSON.stringify(key)}:${indent === '' ? '' : ' '}${member}`];
      });
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (parts.length === 0) return open + close;
  return indent === '' ? open + parts.join(',') + close : open + inner + parts.join(`,${inner}`) + line + close;
};

/**
 * As `JSON.stringify`, but what was read by `parseJson` is printed as it was written. `spaces`: of an indented text. It calls
 * itself for each level: what comes from outside has a limited depth.
 */
export const jsonText = (value: unknown, spaces = 0): string =>
  print(value, ' '.repeat(spaces), spaces === 0 ? '' : '\n') ?? 'null';
