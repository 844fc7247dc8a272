/**
 * `next_execution_time` of contract §3: when a schedule runs next, Unix seconds. Every runtime of such documents keeps it for
 * itself and for its readers; it is no part of what is wished, whoever writes it.
 */
import { Long, type Filter, type UpdateFilter, type Document } from 'mongodb';

export const NEXT_EXECUTION = 'next_execution_time';

/** Other readers decode an int64 and nothing else, and the driver hands one out as a plain number. */
const asInt64 = (value: unknown): unknown => (Number.isSafeInteger(value) ? Long.fromNumber(value as number) : value);

/** As it has to stand in a document that is written anew. */
export const keptFields = (aside: Document): Document =>
  Object.fromEntries(Object.entries(aside).map(([key, value]) => [key, asInt64(value)]));

/** That nobody moved it since it was read; what cannot be compared for sure is not asked about. */
export const unmovedFields = (names: readonly string[], aside: Document): Filter<Document> =>
  Object.fromEntries(
    names.flatMap((name) => {
      if (!(name in aside)) return [[name, { $exists: false }]];
      return Number.isSafeInteger(aside[name]) ? [[name, asInt64(aside[name])]] : [];
    }),
  );

/**
 * Absent when it will not run: `null` is no int64, and what is absent is never due (the readers ask for `$lte` now).
 * @param at Unix seconds
 */
export const nextExecutionUpdate = (at: number | undefined): UpdateFilter<Document> =>
  at === undefined
    ? { $unset: { [NEXT_EXECUTION]: '' } }
    : { $set: { [NEXT_EXECUTION]: Long.fromNumber(Math.floor(at)) } };
