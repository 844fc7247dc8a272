/**
 * Replies that are too large to be parsed whole: their beginning is looked at before anything is handed on, and their end is held
 * back until it is known to be one.
 */
import { Readable } from 'node:stream';
import { QueryFailure, SMALL_REPLY_BYTES } from '../domain/query.ts';
import { listenToErrors } from './send-body.ts';

const MAX_BLANKS = 64 * 1024;

/** Blanks as JSON has them, the brace, and a name. */
const OBJECT = /^[ \t\r\n]*\{[ \t\r\n]*"/;

const BRACE = '}'.charCodeAt(0);

export const isBlank = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

const invalid = (why: string): QueryFailure => new QueryFailure('QUERY_REPLY_INVALID', why);

type Chunks = AsyncIterator<Buffer, undefined>;

/** The first chunks, up to what is held of any reply. */
const headOf = async (chunks: Chunks): Promise<Buffer[]> => {
  const head: Buffer[] = [];
  for (let held = 0; held < SMALL_REPLY_BYTES;) {
    const next = await chunks.next();
    if (next.done === true) break;
    head.push(next.value);
    held += next.value.length;
  }
  return head;
};

/** Where the last byte is that is no blank; -1 for none. */
const lastOf = (chunk: Buffer): number => {
  let at = chunk.length - 1;
  while (at >= 0 && isBlank(chunk[at])) at -= 1;
  return at;
};

/** All but the closing brace and what stands behind it; then `closing`, which begins where the brace was. */
const spliced = async function* (head: Buffer[], chunks: Chunks, closing: () => Buffer): AsyncGenerator<Buffer> {
  /** From the last byte on that was no blank. */
  let held: Buffer[] = [];
  let bytes = 0;
  const pass = function* (chunk: Buffer): Generator<Buffer> {
    const last = lastOf(chunk);
    if (last < 0) {
      held.push(chunk);
      bytes += chunk.length;
    } else {
      yield* held;
      if (last > 0) yield chunk.subarray(0, last);
      held = [chunk.subarray(last)];
      bytes = chunk.length - last;
    }
    if (bytes > MAX_BLANKS) throw invalid('the reply of the bot contains too much white space');
  };
  for (const chunk of head.splice(0)) yield* pass(chunk);
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield* pass(next.value);
  if (held[0]?.[0] !== BRACE) throw invalid('the reply of the bot is not a complete object');
  yield closing();
};

/**
 * The object with another end. @throws QueryFailure QUERY_REPLY_INVALID for what does not begin as an object; what `body` throws. It
 * is given up with either. One that turns out to be no whole object later fails with QUERY_REPLY_INVALID
 */
export const reclosed = async (body: Readable, closing: () => Buffer): Promise<Readable> => {
  listenToErrors(body);
  const chunks = body[Symbol.asyncIterator]() as Chunks;
  try {
    const head = await headOf(chunks);
    if (!OBJECT.test(Buffer.concat(head).toString('latin1', 0, SMALL_REPLY_BYTES))) {
      throw invalid('the reply of the bot is not a JSON object');
    }
    const answer = Readable.from(spliced(head, chunks, closing), { objectMode: false });
    // Even when it is given up before it was read from.
    answer.once('close', () => body.destroy());
    return answer;
  } catch (thrown) {
    body.destroy();
    throw thrown;
  }
};
