/** A wish as a row, and back. What is broken on disk stays the trouble of its own bot. */
import type { AnyRequest, Asked, SpecRecord } from '../../ports/spec-store.ts';
import { JsonRefused, parseJson } from '../../domain/parse-json.ts';
import { UnreadableDocument } from '../../domain/unreadable-document.ts';
import type { SqlRow } from './sql-connection.ts';

const parsed = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
};

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Null for a tombstone. With its numbers as they were written; text that cannot be read stands for itself, unreadable. */
const documentOf = (row: SqlRow): unknown => {
  if (Number(row['deleted']) !== 0) return null;
  try {
    return parseJson(String(row['document']));
  } catch (thrown) {
    return new UnreadableDocument(thrown instanceof JsonRefused ? thrown.message : String(thrown));
  }
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
