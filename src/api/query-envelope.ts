/**
 * The reference's form of an answer: `{status, data, duration, timestamp}` (contract §8.3). The bot's own text is kept, so that
 * no number loses a digit and a large reply is never held whole.
 */
import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { isObject } from '../domain/json.ts';
import { QueryFailure, type QueryAnswer } from '../domain/query.ts';
import { sendBody } from './send-body.ts';

const BRACE = '}'.charCodeAt(0);
const NS = 1e6;

const stamp = (since: number) => ({
  duration: Math.round((performance.now() - since) * NS),
  timestamp: new Date().toISOString(),
});

const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Without the closing brace of the object, and what stands behind it; undefined when it does not end with one. */
const unclosed = (bytes: Buffer): Buffer | undefined => {
  let end = bytes.length;
  while (end > 0 && isSpace(bytes[end - 1] as number)) end -= 1;
  return end > 0 && bytes[end - 1] === BRACE ? bytes.subarray(0, end - 1) : undefined;
};

const closing = (since: number): Buffer => Buffer.from(`,${JSON.stringify(stamp(since)).slice(1)}`);

const HELD = 64;

/** The object as it comes, its end held back: the last bytes are ours. */
const spliced = async function* (body: Readable, since: number): AsyncGenerator<Buffer> {
  let tail: Buffer = Buffer.alloc(0);
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const all = Buffer.concat([tail, chunk]);
    const cut = Math.max(0, all.length - HELD);
    if (cut > 0) yield all.subarray(0, cut);
    tail = all.subarray(cut);
  }
  const open = unclosed(tail);
  if (open === undefined) throw new QueryFailure('QUERY_REPLY_INVALID', 'the reply of the bot is no whole object');
  yield Buffer.concat([open, closing(since)]);
};

const KNOWN: ReadonlySet<string> = new Set(['status', 'data']);

/** @throws QueryFailure QUERY_REPLY_INVALID for what is no object */
const wrapSmall = (body: Buffer, since: number): Buffer => {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    // Said below.
  }
  if (!isObject(value)) throw new QueryFailure('QUERY_REPLY_INVALID', 'the reply of the bot is no JSON object');
  const open = unclosed(body);
  const isPlain = typeof value['status'] === 'string' && value['data'] != null;
  if (open !== undefined && isPlain && Object.keys(value).every((key) => KNOWN.has(key))) {
    return Buffer.concat([open, closing(since)]);
  }
  const { status, data } = value;
  const kept = data == null ? {} : { data };
  return Buffer.from(JSON.stringify({ status: typeof status === 'string' ? status : '', ...kept, ...stamp(since) }));
};

/** What stands beside an error. */
export const envelope = Object.assign(stamp, {
  /** @throws QueryFailure QUERY_REPLY_INVALID before anything was handed on; a stream that turns out to be none breaks off */
  answer: (context: Context, { body }: QueryAnswer, since: number): Response => {
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
    if (Buffer.isBuffer(body)) return sendBody(context, 200, headers, wrapSmall(body, since));
    return sendBody(context, 200, headers, Readable.from(spliced(body, since), { objectMode: false }));
  },
});
