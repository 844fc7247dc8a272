/**
 * BSON of any writer as plain JSON: ids and times as text, numbers as JSON prints them, so that decoding knows only JSON. An
 * integer or a decimal that a double does not hold keeps its digits.
 */
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import type { Json, JsonObject } from '../../domain/json.ts';
import { objectOf, orderedKeys } from '../../domain/json-object.ts';
import { numberOf, WrittenNumber } from '../../domain/written-number.ts';

/** What JSON has no number for stays what it is: the document is refused for it, with the name of the field. */
const written = (text: string): Json => numberOf(text) ?? Number(text);

export const toPlainJson = (value: unknown): Json => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'number':
      return value;
    case 'bigint':
      return written(value.toString());
    case 'object':
      break;
    default:
      return null;
  }
  if (value === null) return null;
  if (value instanceof WrittenNumber) return value;
  if (Array.isArray(value)) return value.map(toPlainJson);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Long || value instanceof Decimal128) return written(value.toString());
  if (value instanceof Int32 || value instanceof Double) return value.valueOf();
  if (value instanceof Binary) return value.toString('base64');
  // `__proto__` is a key like any other here; assigning it would not be.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlainJson(member)]));
};

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const MOST = 2n ** 63n - 1n;

const bsonNumber = ({ text }: WrittenNumber): Long | number => {
  if (!INTEGER.test(text)) return Number(text);
  const value = BigInt(text);
  return value <= MOST && value >= -MOST - 1n && value !== 0n ? Long.fromBigInt(value) : Number(text);
};

/** For the server: integers as integers as far as it has them, other numbers as doubles; text is mended as on its way in. */
export const toBson = (value: unknown): unknown => {
  if (typeof value === 'string') return value.toWellFormed();
  if (value instanceof WrittenNumber) return bsonNumber(value);
  if (Array.isArray(value)) return value.map(toBson);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toBson(member)]));
};

/** Plain values with well-formed text, numbers as they are. */
export const mended = (value: unknown): unknown => {
  if (typeof value === 'string') return value.toWellFormed();
  if (Array.isArray(value)) return value.map(mended);
  if (typeof value !== 'object' || value === null || value instanceof WrittenNumber) return value;
  return objectOf(orderedKeys(value).map((key) => [key, mended((value as JsonObject)[key])]));
};
