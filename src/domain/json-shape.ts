/** How deep and how large a value is, found without calling itself: what comes from outside may be nested as deep as it likes. */
import { isReordered } from './json-object.ts';
import { WrittenNumber } from './written-number.ts';

export interface JsonShape {
  /** Containers around the innermost value; what is beyond `maxDepth` is not looked at. */
  readonly isTooDeep: boolean;
  readonly isTooLarge: boolean;
  /** Holds something that a plain value loses: the text of a number, an order of keys. */
  readonly isExact: boolean;
  /** Holds a number that JSON cannot express. */
  readonly isEndless: boolean;
}

export const shapeOf = (root: unknown, maxDepth: number, maxValues: number): JsonShape => {
  let level: unknown[] = [root];
  let values = 1;
  let isExact = false;
  let isEndless = false;
  for (let depth = 0; level.length > 0; depth += 1) {
    const inner: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'number' && !Number.isFinite(value)) isEndless = true;
      if (typeof value !== 'object' || value === null) continue;
      if (value instanceof WrittenNumber) {
        isExact = true;
        continue;
      }
      if (depth >= maxDepth) return { isTooDeep: true, isTooLarge: false, isExact, isEndless };
      isExact ||= isReordered(value);
      for (const member of Object.values(value)) inner.push(member);
    }
    values += inner.length;
    if (values > maxValues) return { isTooDeep: false, isTooLarge: true, isExact, isEndless };
    level = inner;
  }
  return { isTooDeep: false, isTooLarge: false, isExact, isEndless };
};

/** With each number as the nearest double: for fields whose values drover itself reads. */
export const withDoubles = (value: unknown): unknown => {
  if (value instanceof WrittenNumber) return value.valueOf();
  if (Array.isArray(value)) return value.map(withDoubles);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withDoubles(member)]));
};
