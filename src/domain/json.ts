/** JSON as data, and one canonical text for it: sorted keys, no white space. Hashes are taken over that text. */
import { UnreadableDocument } from './unreadable-document.ts';
import { WrittenNumber } from './written-number.ts';

export type Json = null | boolean | number | WrittenNumber | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The same value always gives the same text, whatever order its keys were written in. `undefined` members are left out. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (value instanceof WrittenNumber) return value.text;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value ?? null);
};

/** An object with members, as opposed to null, a list, or a plain value. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof WrittenNumber) &&
  !(value instanceof UnreadableDocument);
