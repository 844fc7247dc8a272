/** Queries that were not answered, as honest statuses (feature F5): `code`, `botState`, `retryable`, and what the handler itself said. */
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { DroverError, toDroverError, type ErrorCode } from '../domain/errors.ts';
import type { JsonObject } from '../domain/json.ts';
import { jsonText } from '../domain/json-text.ts';
import { QueryFailure } from '../domain/query.ts';
import { SANDBOX } from './send-body.ts';

const STATUS: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  BOT_NOT_FOUND: 404,
  QUERY_UNSUPPORTED: 404,
  QUERY_PATH_UNKNOWN: 404,
  SNAPSHOT_NOT_FOUND: 404,
  // The bot as it is deployed, or as it is now, cannot answer: asking again changes nothing.
  BOT_PAUSED: 409,
  DOCUMENT_INVALID: 409,
  BOT_ID_INVALID: 409,
  SCHEDULE_INVALID: 409,
  ARCHIVE_CORRUPT: 409,
  ARCHIVE_UNSAFE: 409,
  CODE_INVALID: 409,
  ENTRYPOINT_MISSING: 409,
  RUNTIME_UNSUPPORTED: 409,
  STATE_RESTORE_FAILED: 409,
  ENGINE_REFUSED: 409,
  QUERY_BODY_TOO_LARGE: 413,
  REQUEST_INVALID: 422,
  QUERY_OVERLOADED: 429,
  QUERY_FAILED: 502,
  QUERY_NO_RESULT: 502,
  QUERY_UNREACHABLE: 502,
  QUERY_REPLY_INVALID: 502,
  QUERY_REPLY_TOO_LARGE: 502,
  SPAWN_FAILED: 502,
  QUERY_TIMEOUT: 504,
  INTERNAL: 500,
};
/** Servers that are away, bots that move: what passes by itself. */
const PASSES = 503;

/** What a proxy or an idle connection says: a client would ask again, or fail, and not look at the answer. */
const OF_CONNECTIONS: ReadonlySet<number> = new Set([407, 408, 421]);

const queryStatus = (failure: QueryFailure): ContentfulStatusCode => {
  const { code, botStatus } = failure;
  // A bot's own server may have refused the parameters: that is for the caller, and not a fault of the gateway.
  const isRefusal = botStatus !== undefined && botStatus >= 400 && botStatus < 500 && !OF_CONNECTIONS.has(botStatus);
  if (code === 'QUERY_FAILED' && isRefusal) return botStatus as ContentfulStatusCode;
  return STATUS[code] ?? PASSES;
};

export const toQueryFailure = (thrown: unknown): QueryFailure => {
  const error = toDroverError(thrown);
  return error instanceof QueryFailure ? error : new QueryFailure(error.code, error.message);
};

/** Seconds, for a caller who may ask again; undefined when that is of no use. */
export const retryAfter = (failure: QueryFailure, status: number): number | undefined =>
  failure.retryAfterS ?? (status === 503 || status === 429 ? 1 : undefined);

/** What a caller is told of it. */
export const failureBody = (failure: QueryFailure): JsonObject => {
  const { code, message, botState = null, remedy, said } = failure;
  // A defect of ours may carry anything in its message.
  const error = code === 'INTERNAL' ? 'something went wrong inside drover' : message;
  return { ...said, status: 'error', error, code, botState, retryable: failure.class === 'retryable', remedy };
};

export const answerQueryFailure = (context: Context, thrown: unknown): Response => {
  const failure = toQueryFailure(thrown);
  const status = queryStatus(failure);
  const after = retryAfter(failure, status);
  if (after !== undefined) context.header('retry-after', String(after));
  return context.body(jsonText(failureBody(failure)), status, { 'content-type': 'application/json', ...SANDBOX });
};

/** @throws QueryFailure */
export const refuseQuery = (message: string): never => {
  throw new QueryFailure('REQUEST_INVALID', message);
};

/** A body that is none, as opposed to one that says something wrong. */
export const malformed = (context: Context, message: string): Response => {
  const { code, remedy } = new DroverError('REQUEST_INVALID', message);
  return context.json({ status: 'error', error: message, code, botState: null, retryable: false, remedy }, 400);
};
