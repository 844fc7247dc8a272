/** Objects whose members keep the order in which they were written, also where a key looks like an index. */

/** Of an object whose own order of keys is not the written one. Spread and assignment copy it; nothing else sees it. */
const ORDER = Symbol('written order');

interface Ordered {
  readonly [ORDER]?: readonly string[];
}

/** Of several members with one key the last counts. `__proto__` is a key like any other. */
export const objectOf = (entries: readonly (readonly [string, unknown])[]): Record<string, unknown> => {
  const object: Record<string, unknown> = Object.fromEntries(entries);
  const keys = Object.keys(object);
  if (keys.every((key, at) => entries[at]?.[0] === key)) return object;
  return Object.assign(object, { [ORDER]: [...new Set(entries.map(([key]) => key))] });
};

/** The keys as they were written; those that were added since come last. */
export const orderedKeys = (object: object): readonly string[] => {
  const keys = Object.keys(object);
  const order = (object as Ordered)[ORDER];
  if (order === undefined) return keys;
  const written = order.filter((key) => Object.hasOwn(object, key));
  const known = new Set(written);
  return [...written, ...keys.filter((key) => !known.has(key))];
};

/** Is the order of its keys another one than the language gives them? */
export const isReordered = (object: object): boolean => ORDER in object;
