/** Errors of the driver as errors of the table. */
import { BSON, MongoError, MongoServerError } from 'mongodb';
import { DroverError } from '../../domain/errors.ts';

const DUPLICATE = 11_000;
/** Unauthorized, AuthenticationFailed. */
const NOT_ALLOWED: ReadonlySet<unknown> = new Set([13, 18]);

/**
 * What passes by itself, also where a server puts no label on it: NotWritablePrimary and its kin, stepping down, shutting
 * down, time limits, locks, conflicts, write concern not reached.
 */
const PASSING: ReadonlySet<unknown> = new Set([
  6, 7, 24, 46, 50, 64, 79, 89, 91, 100, 112, 117, 125, 134, 189, 202, 262, 290, 365, 384, 9001, 10107, 11600, 11601,
  11602, 13388, 13435, 13436,
]);

/** A unique index refused it. Which one is found by reading back, never from the text. */
export const isDuplicate = (thrown: unknown): boolean => thrown instanceof MongoError && thrown.code === DUPLICATE;

/** IndexOptionsConflict, IndexKeySpecsConflict: there is an index of that name, or on that key, with other options. */
export const isIndexConflict = (thrown: unknown): boolean =>
  thrown instanceof MongoError && (thrown.code === 85 || thrown.code === 86);

/** The server itself does not take this document, whatever its state: e.g. keys with `$` or dots, or nested too deeply. */
export const isUnstorable = (thrown: unknown): boolean => {
  if (!(thrown instanceof Error)) return false;
  // The driver's own refusals (NUL in a key, `_bsontype`, far too large) never reach the server.
  if (thrown instanceof BSON.BSONError || thrown instanceof RangeError) return true;
  return (
    thrown instanceof MongoServerError &&
    !isDuplicate(thrown) &&
    !NOT_ALLOWED.has(thrown.code) &&
    !PASSING.has(thrown.code) &&
    !thrown.hasErrorLabel('RetryableWriteError') &&
    !thrown.hasErrorLabel('TransientTransactionError')
  );
};

/** The server does not know this command or option. */
export const isUnsupported = (thrown: unknown): boolean =>
  thrown instanceof MongoServerError &&
  !NOT_ALLOWED.has(thrown.code) &&
  !thrown.hasErrorLabel('ResumableChangeStreamError');

/** STORE_UNAVAILABLE for all that may pass or that an operator must mend at the server. */
export const toStoreError = (thrown: unknown): DroverError => {
  if (thrown instanceof DroverError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  const what =
    thrown instanceof MongoServerError && NOT_ALLOWED.has(thrown.code) ? 'refuses this user' : 'does not answer';
  return new DroverError('STORE_UNAVAILABLE', `MongoDB ${what}: ${detail}`, { cause: thrown });
};

/** What `work` gives. @throws DroverError for whatever it throws, by {@link toStoreError} */
export const translated = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (thrown) {
    throw toStoreError(thrown);
  }
};
