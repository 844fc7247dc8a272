/**
 * The reference's form of an answer: `{status, data, duration, timestamp}` (contract §8.3). The bot's own text is kept, so that
 * no number loses a digit and a large reply is never held whole. Of a large one therefore only the beginning is looked at: members
 * beside `data` stay (ours come last, and the last is the one that counts), `data: null` stays, and what is no JSON further on is
 * noticed only where its last byte is no brace: then it breaks off.
 */
import type { Readable } from 'node:stream';
import type { Context } from 'hono';
import { isObject } from '../domain/json.ts';
import { jsonText } from '../domain/json-text.ts';
import { parseJson } from '../domain/parse-json.ts';
import { QueryFailure, type QueryAnswer } from '../domain/query.ts';
import { isBlank, reclosed } from './reply-stream.ts';
import { SANDBOX, sendBody } from './send-body.ts';

const BRACE = '}'.charCodeAt(0);
const NS = 1e6;

const stamp = (since: number) => ({
  duration: Math.round((performance.now() - since) * NS),
  timestamp: new Date().toISOString(),
});

/** Without the closing brace of the object, and what stands behind it; undefined when it does not end with one. */
const unclosed = (bytes: Buffer): Buffer | undefined => {
  let end = bytes.length;
  while (end > 0 && isBlank(bytes[end - 1])) end -= 1;
  return end > 0 && bytes[end - 1] === BRACE ? bytes.subarray(0, end - 1) : undefined;
};

const closing = (since: number): Buffer => Buffer.from(`,${JSON.stringify(stamp(since)).slice(1)}`);

const KNOWN: ReadonlySet<string> = new Set(['status', 'data']);
/** What is printed anew may not be nested deeper than a printer can follow. */
const REPLY_LIMITS = { maxDepth: 1_000, maxValues: Infinity } as const;

const parse = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
};

/** The data of a reply that is printed anew, with its numbers as the bot wrote them. @throws QueryFailure QUERY_REPLY_INVALID */
const dataOf = (body: Buffer): unknown => {
  try {
    return (parseJson(body.toString('utf8'), REPLY_LIMITS) as { readonly data: unknown }).data;
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new QueryFailure('QUERY_REPLY_INVALID', `the reply of the bot ${why}`);
  }
};

/** @throws QueryFailure QUERY_REPLY_INVALID for what is no object, QUERY_FAILED for one that says so */
const wrapSmall = (body: Buffer, since: number): Buffer => {
  const value = parse(body);
  if (!isObject(value)) throw new QueryFailure('QUERY_REPLY_INVALID', 'the reply of the bot is not a JSON object');
  const { status, data, error } = value;
  // Whatever kind of text it calls itself: the word counts.
  if (status === 'error')
    throw new QueryFailure('QUERY_FAILED', typeof error === 'string' ? error : 'the handler failed');
  const open = unclosed(body);
  const isPlain = typeof status === 'string' && data != null;
  if (open !== undefined && isPlain && Object.keys(value).every((key) => KNOWN.has(key))) {
    return Buffer.concat([open, closing(since)]);
  }
  const kept = data == null ? {} : { data: dataOf(body) };
  return Buffer.from(jsonText({ status: typeof status === 'string' ? status : '', ...kept, ...stamp(since) }));
};

const HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-store', ...SANDBOX };

const answerLarge = async (context: Context, body: Readable, since: number): Promise<Response> =>
  sendBody(context, 200, HEADERS, await reclosed(body, () => closing(since)));

/** What stands beside an error. */
export const envelope = Object.assign(stamp, {
  /**
   * Small answers are sent at once. @throws QueryFailure QUERY_REPLY_INVALID, QUERY_FAILED before anything was handed on; a stream
   * that turns out to be no answer later breaks off
   */
  answer: (context: Context, { body }: QueryAnswer, since: number): Response | Promise<Response> =>
    Buffer.isBuffer(body) ? sendBody(context, 200, HEADERS, wrapSmall(body, since)) : answerLarge(context, body, since),
});
