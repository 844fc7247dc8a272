/** Our side of the conversation with the controller: frames on standard output, no faster than they are taken. */
import type { Writable } from 'node:stream';
import { encodeData, encodeWord, type QueryWord } from '../../domain/query-frames.ts';

export interface Speaker {
  /** Resolves when there is room for more. */
  say(word: QueryWord): Promise<void>;
  /** A reply whose content comes piece by piece; each is asked for when there is room for it. */
  reply(word: Extract<QueryWord, { kind: 'reply' }>, pieces: Iterable<Buffer>): Promise<void>;
}

/** A word fits into a frame whatever is in it: a character takes six bytes at most. */
const MOST_CHARACTERS = 8 * 1024;

const bounded = (word: QueryWord): QueryWord => {
  if (word.kind === 'failed') return { ...word, detail: word.detail.slice(0, MOST_CHARACTERS) };
  return word.kind === 'none' ? { ...word, output: word.output.slice(-MOST_CHARACTERS) } : word;
};

export const createSpeaker = (out: Writable): Speaker => {
  const write = async (bytes: Buffer): Promise<void> => {
    if (out.write(bytes)) return;
    await new Promise<void>((resolve) => out.once('drain', resolve));
  };
  return {
    say: (word) => write(encodeWord(bounded(word))),
    async reply(word, pieces) {
      let held = encodeWord(word);
      for (const piece of pieces) {
        held = Buffer.concat([held, encodeData(piece)]);
        // Most replies are one piece: they go out in one go.
        if (piece.length === word.bytes) break;
        await write(held);
        held = Buffer.alloc(0);
      }
      await write(Buffer.concat([held, encodeWord({ kind: 'end', id: word.id })]));
    },
  };
};
