/** A stream that gives exactly the bytes that were promised, or fails. */
import { Readable } from 'node:stream';

/** Longest silence in the middle of an archive. */
const IDLE_MS = 12_000;

/** Time counts only while a piece is asked for: a reader that is slow does no harm. */
const inTime = async <T>(piece: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no data for ${String(IDLE_MS / 1_000)} s`));
    }, IDLE_MS);
  });
  try {
    return await Promise.race([piece, late]);
  } finally {
    clearTimeout(timer);
  }
};

async function* pieces(source: Readable, size: number): AsyncGenerator<Buffer> {
  const iterator = (source as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let seen = 0;
  for (;;) {
    const next = await inTime(iterator.next());
    if (next.done === true) break;
    seen += next.value.length;
    if (seen > size) break;
    yield next.value;
  }
  if (seen !== size) throw new Error(`received ${String(seen)} of ${String(size)} bytes`);
}

/** `explain` makes what went wrong an error of our table. */
export const wholeStream = (source: Readable, size: number, explain: (thrown: unknown) => Error): Readable => {
  const explained = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* pieces(source, size);
    } catch (thrown) {
      throw explain(thrown);
    }
  };
  const whole = Readable.from(explained(), { objectMode: false });
  // Before anybody reads, and after the reader went away, an error of the connection is nobody's.
  source.on('error', () => undefined);
  whole.once('close', () => source.destroy());
  return whole;
};
