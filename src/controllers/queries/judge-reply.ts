/** What a bot's reply means: an answer, an error of its handler, or nothing that an SDK would say (contract §8.1, §8.2). Pure. */
import { isObject, type JsonObject } from '../../domain/json.ts';
import { parseJson } from '../../domain/parse-json.ts';
import { QueryFailure, SMALL_REPLY_BYTES } from '../../domain/query.ts';

const parse = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

/** Of an error; one that is nested deeper than anybody reads is none. */
const objectIn = (body: Buffer): JsonObject | undefined => {
  try {
    const value = parseJson(body.toString('utf8'));
    return isObject(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
};

const MAX_TEXT = 2_000;

/** As SDKs write one: the status first. */
const ERROR_HEAD = /^\s*\{\s*"status"\s*:\s*"error"/;
const ERROR_TEXT = /^\s*\{\s*"status"\s*:\s*"error"\s*,\s*"error"\s*:\s*"((?:[^"\\]|\\.)*)/;

/** Of a reply that is too large to be looked into: does it begin as an error does? */
export const saysError = (head: Buffer): boolean => ERROR_HEAD.test(head.toString('utf8', 0, 256));

/** `status`: HTTP status of the bot's own server; undefined for a result from a file. */
export const failureOf = (body: Buffer, status?: number): QueryFailure => {
  const said = objectIn(body);
  const error = said?.['error'];
  const text = typeof error === 'string' ? error : body.toString('utf8').slice(0, MAX_TEXT);
  if (said === undefined && body.length > SMALL_REPLY_BYTES && saysError(body)) {
    // Too large to be taken whole: what it says first is what counts.
    const begun = ERROR_TEXT.exec(body.toString('utf8', 0, MAX_TEXT))?.[1] ?? '';
    return new QueryFailure('QUERY_FAILED', begun === '' ? 'the handler failed' : begun, { botStatus: status });
  }
  if (status === undefined && said === undefined) {
    // Killed while it wrote, most likely: half a result is none.
    return new QueryFailure('QUERY_NO_RESULT', 'the query program failed and left no complete result');
  }
  const isUnknown = status === 404 || (status === undefined && said?.['available'] !== undefined);
  return new QueryFailure(
    isUnknown ? 'QUERY_PATH_UNKNOWN' : 'QUERY_FAILED',
    text === '' ? 'the handler failed' : text,
    {
      said,
      botStatus: status,
    },
  );
};

const isJson = (contentType: string | undefined): boolean => contentType === undefined || /\bjson\b/i.test(contentType);

/** Looks into a whole reply that came as a good one. @throws QueryFailure QUERY_REPLY_INVALID, QUERY_FAILED */
export const requireAnswer = (body: Buffer, contentType: string | undefined): void => {
  if (!isJson(contentType)) return;
  const value = parse(body);
  if (value === undefined) throw new QueryFailure('QUERY_REPLY_INVALID', 'the reply of the bot is not JSON');
  // Some query servers say with 200 that they failed; the word counts (contract §8.3).
  if (isObject(value) && value['status'] === 'error') throw failureOf(body);
};
