/** BSON of any writer as plain JSON: ids and times as text, numbers as numbers, so that decoding knows only JSON. */
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import type { Json } from '../../domain/json.ts';

const fromLong = (value: Long): number | string => {
  const number = value.toNumber();
  return Number.isSafeInteger(number) ? number : value.toString();
};

export const toPlainJson = (value: unknown): Json => {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'bigint':
      return value.toString();
    case 'object':
      break;
    default:
      return null;
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(toPlainJson);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Long) return fromLong(value);
  if (value instanceof Int32 || value instanceof Double) return value.valueOf();
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof Binary) return value.toString('base64');
  // `__proto__` is a key like any other here; assigning it would not be.
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toPlainJson(member)]));
};
