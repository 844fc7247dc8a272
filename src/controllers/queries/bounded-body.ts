/** Replies of bots: small ones whole, large ones as they come, none beyond its limit (feature F8). */
import { Readable } from 'node:stream';
import { DroverError } from '../../domain/errors.ts';
import { SMALL_REPLY_BYTES } from '../../domain/query.ts';

export interface BoundedBody {
  readonly body: Buffer | Readable;
  readonly bytes?: number;
}

export interface StreamedBody extends BoundedBody {
  /** How one that is not there whole begins. */
  readonly head?: Buffer;
}

export const tooLarge = (maxBytes: number): DroverError =>
  new DroverError('QUERY_REPLY_TOO_LARGE', `the reply has more than ${String(maxBytes)} bytes`);

/** @throws DroverError QUERY_REPLY_TOO_LARGE */
export const boundWhole = (body: Buffer, maxBytes: number): BoundedBody => {
  if (body.length > maxBytes) throw tooLarge(maxBytes);
  return { body, bytes: body.length };
};

/**
 * `bytes`: its length where that is known. The stream is destroyed with whatever ends this early.
 * @throws DroverError QUERY_REPLY_TOO_LARGE before anything was handed on, where that is known by then; what the stream throws
 */
export const boundBody = async (
  source: Readable,
  bytes: number | undefined,
  maxBytes: number,
): Promise<StreamedBody> => {
  if (bytes !== undefined && bytes > maxBytes) {
    source.destroy();
    throw tooLarge(maxBytes);
  }
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const head: Buffer[] = [];
  let held = 0;
  while (held <= Math.min(SMALL_REPLY_BYTES, maxBytes)) {
    const next = await chunks.next();
    if (next.done === true) return { body: Buffer.concat(head), bytes: held };
    head.push(next.value);
    held += next.value.length;
  }
  const rest = async function* (): AsyncGenerator<Buffer> {
    let sent = 0;
    const within = (chunk: Buffer): Buffer => {
      sent += chunk.length;
      if (sent > maxBytes) throw tooLarge(maxBytes);
      return chunk;
    };
    for (const chunk of head.splice(0)) yield within(chunk);
    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield within(next.value);
  };
  const body = Readable.from(rest(), { objectMode: false })
    // Read to its end, too large, or given up, also before it was read: nothing more is wanted of the source. And it may break off
    // before anybody reads it.
    .once('close', () => source.destroy())
    .on('error', () => undefined);
  return { body, head: Buffer.concat(head), ...(bytes === undefined ? {} : { bytes }) };
};

/** All of a reply that is an error; what is beyond the limit is left out. */
export const readSmall = async (source: Buffer | Readable, maxBytes = 1024 * 1024): Promise<Buffer> => {
  if (Buffer.isBuffer(source)) return source;
  const chunks: Buffer[] = [];
  let held = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    held += chunk.length;
    if (held > maxBytes) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
