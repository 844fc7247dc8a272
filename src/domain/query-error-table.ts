/** The part of the table of errors that queries have. */
import { row, type ErrorRow } from './error-row.ts';

export const QUERY_ERRORS = {
  QUERY_UNSUPPORTED: row(
    'rejected',
    'The bot has no query program.',
    'Name a query program in `entrypoints.query`, and apply the bot again.',
  ),
  QUERY_PATH_UNKNOWN: row(
    'rejected',
    'The query program has no handler for this path.',
    'Query `/info`: it lists the handlers.',
  ),
  QUERY_FAILED: row(
    'rejected',
    'The handler of the bot failed.',
    'Read `error` in the answer, and the output of the query program in the log of the bot.',
  ),
  QUERY_NO_RESULT: row(
    'rejected',
    'The query program ended without a result.',
    'Read the end of its error output in the message, and correct the query program.',
  ),
  QUERY_TIMEOUT: row(
    'retryable',
    'The bot did not answer in time.',
    'Query less data, or allow more time with `--timeout` (`timeout_sec` in a body).',
  ),
  QUERY_UNREACHABLE: row(
    'retryable',
    'The query server of the bot does not accept connections.',
    'Read the output of the query program in the log of the bot, and check the bot network.',
  ),
  QUERY_REPLY_INVALID: row(
    'retryable',
    'The reply of the bot is incomplete or is not valid JSON.',
    'Correct the query program.',
  ),
  QUERY_REPLY_TOO_LARGE: row(
    'rejected',
    'The reply is larger than QUERY_MAX_REPLY_MB.',
    'Query less data at once, or raise QUERY_MAX_REPLY_MB.',
  ),
  QUERY_BODY_TOO_LARGE: row(
    'rejected',
    'The body of the query is larger than QUERY_MAX_BODY_KB.',
    'Send a smaller body, or raise QUERY_MAX_BODY_KB.',
  ),
  QUERY_OVERLOADED: row(
    'retryable',
    'Too many queries are waiting.',
    'Query again after the time in Retry-After, or raise QUERY_CONTAINERS.',
  ),
  QUERY_ENDING: row('retryable', 'This drover process is shutting down.', 'Query again in a moment.'),
  BOT_NOT_READY: row(
    'retryable',
    'The bot is starting or stopping, or its query server does not listen yet.',
    'Query again after the time in Retry-After.',
  ),
  BOT_PAUSED: row(
    'rejected',
    'Somebody paused the container of the bot.',
    'Resume the container with `docker unpause`.',
  ),
} as const satisfies Record<string, ErrorRow>;
