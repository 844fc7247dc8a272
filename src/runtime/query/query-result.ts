/** What a query program left as its result (contract §8.2), read piece by piece: it may be larger than our memory. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { MAX_SAID_BYTES } from '../../domain/query-frames.ts';

export interface QueryResult {
  readonly bytes: number;
  /** Read once, and to its end. */
  pieces(): Iterable<Buffer>;
  close(): void;
}

export const RESULT_FILE = '/query/result.json';
// A pipe in its place must not hold us up, and a link must not lead us to what only we can see.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Undefined when there is no such file. Open it only when nobody writes it any more. */
export const openResult = (path: string = RESULT_FILE): QueryResult | undefined => {
  let file: number;
  try {
    file = openSync(path, FLAGS);
  } catch {
    return undefined;
  }
  const close = (): void => {
    closeSync(file);
  };
  const info = fstatSync(file);
  if (!info.isFile()) {
    close();
    return undefined;
  }
  const bytes = info.size;
  return {
    bytes,
    *pieces() {
      for (let at = 0; at < bytes;) {
        const piece = Buffer.allocUnsafe(Math.min(MAX_SAID_BYTES, bytes - at));
        const size = readSync(file, piece, 0, piece.length, at);
        if (size === 0) throw new Error('the result became shorter while it was read');
        yield piece.subarray(0, size);
        at += size;
      }
    },
    close,
  };
};
