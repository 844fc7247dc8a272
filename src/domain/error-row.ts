/** What the table of errors says of each. */

/**
 * What the control loop does after the error: try again later (`retryable`), stop trying until something changes (`terminal`), read
 * the log again and retry at once (`concurrency`), or hand the error back to the caller (`rejected`).
 */
export type ErrorClass = 'retryable' | 'terminal' | 'concurrency' | 'rejected';

export interface ErrorRow {
  readonly class: ErrorClass;
  readonly cause: string;
  readonly remedy: string;
}

/** A row of the table of errors. */
export const row = (errorClass: ErrorClass, cause: string, remedy: string): ErrorRow => ({
  class: errorClass,
  cause,
  remedy,
});
