/** The output of a query program: passed on while somebody takes it, and its end kept. Bounded, and never holds a bot up. */
import type { Readable, Writable } from 'node:stream';

export interface LastWords {
  /** At most {@link KEPT_BYTES}, from whole characters. */
  text(): string;
  /** Resolves when the output was read to its end, or was given up. */
  readonly ended: Promise<void>;
}

const KEPT_BYTES = 4 * 1024;
/** What nobody takes beyond this is left out. */
const WAITING_BYTES = 256 * 1024;

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

export const keepLastWords = (source: Readable, target: Writable): LastWords => {
  let kept = Buffer.alloc(0);
  source.on('data', (chunk: Buffer) => {
    const all = chunk.length >= KEPT_BYTES ? chunk : Buffer.concat([kept, chunk]);
    // A copy: a small piece of a chunk keeps all of it in memory.
    kept = Buffer.from(all.subarray(-KEPT_BYTES));
    if (!target.destroyed && target.writableLength < WAITING_BYTES) target.write(chunk);
  });
  source.on('error', () => source.destroy());
  const ended = new Promise<void>((resolve) => source.once('close', resolve));
  return {
    ended,
    text() {
      let from = 0;
      if (kept.length === KEPT_BYTES) while (from < 4 && isContinuation(kept[from])) from += 1;
      return kept.toString('utf8', from);
    },
  };
};
