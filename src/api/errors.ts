/** Errors of the table as answers: a code, what went wrong, what to do; never a stack. */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { DroverError, toDroverError, type ErrorCode } from '../domain/errors.ts';

const STATUS: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  DOCUMENT_INVALID: 422,
  BOT_ID_INVALID: 422,
  SCHEDULE_INVALID: 422,
  REQUEST_INVALID: 422,
  UNAUTHORIZED: 401,
  BOT_NOT_FOUND: 404,
  VERSION_CONFLICT: 409,
  REQUESTS_PENDING: 429,
  STORE_UNAVAILABLE: 503,
  ARCHIVE_UNAVAILABLE: 503,
  ARCHIVE_FORBIDDEN: 503,
  ENGINE_UNAVAILABLE: 503,
  STATE_RESTORE_FAILED: 409,
  SNAPSHOT_NOT_FOUND: 404,
  ENGINE_TIMEOUT: 503,
  LEASE_LOST: 503,
  NOT_LEADER: 503,
};

export const answerError = (
  context: Context,
  error: DroverError,
  more: { readonly status?: ContentfulStatusCode; readonly pointers?: unknown } = {},
): Response => {
  const status = more.status ?? STATUS[error.code] ?? 500;
  // A defect of ours may carry anything in its message: its name is enough for the caller.
  const message = error.code === 'INTERNAL' ? 'something went wrong inside drover' : error.message;
  const { code, remedy } = error;
  const pointers = more.pointers === undefined ? {} : { pointers: more.pointers };
  return context.json({ error: { code, message, remedy, ...pointers } }, status);
};

export const answerThrown = (context: Context, thrown: unknown): Response =>
  answerError(context, toDroverError(thrown));

export const refused = (context: Context, status: ContentfulStatusCode, message: string): Response =>
  answerError(context, new DroverError('REQUEST_INVALID', message), { status });
