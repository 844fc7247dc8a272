/** A wish as a row, and back. What is broken on disk stays the trouble of its own bot. */
import type { AnyRequest, Asked, SpecRecord } from '../../ports/spec-store.ts';
import type { SqlRow } from './sql-connection.ts';

const parsed = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Null for a tombstone; text that is not JSON is handed on as it is: no document decodes from a string. */
const documentOf = (row: SqlRow): unknown => {
  if (Number(row['deleted']) !== 0) return null;
  const text = String(row['document']);
  return (parsed(text) ?? { value: text }).value;
};

const askedOf = (row: SqlRow): Asked | undefined => {
  const value = typeof row['asked'] === 'string' ? parsed(row['asked'])?.value : undefined;
  return isObject(value) ? (value as Asked) : undefined;
};

/** Undefined for a request that cannot be read: it counts as not asked. */
export const requestOf = (row: SqlRow): AnyRequest | undefined => {
  const value = parsed(String(row['body']))?.value;
  return isObject(value) ? (value as AnyRequest) : undefined;
};

/** From a row with the columns id, revision, deleted, asked, document. */
export const specRecordOf = <R extends AnyRequest>(row: SqlRow, requests: readonly R[]): SpecRecord<R> => {
  const asked = askedOf(row);
  return {
    id: String(row['id']),
    document: documentOf(row),
    revision: Number(row['revision']),
    ...(asked === undefined ? {} : { asked }),
    requests,
  };
};
