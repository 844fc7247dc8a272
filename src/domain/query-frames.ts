/**
 * What the controller and `runtime query` say to each other over the standard streams of an ephemeral query container: frames
 * of a length, a kind and a payload. Results go this way and not through the object store.
 */
import type { JsonObject } from './json.ts';
import { jsonText } from './json-text.ts';
import type { StoreAccess } from './store-access.ts';
import type { AsOf } from './query.ts';

/** Where an ephemeral query container has its state from. */
export type QueryStateSource =
  /** The bot's volume, mounted read-only. */
  | { readonly kind: 'volume' }
  /** The newest snapshot in the archive store, else the reference's archive, else none. */
  | { readonly kind: 'newest' }
  | AsOf;

/** To the container. The first one prepares it; then one query after the other. */
export type QueryOrder =
  | {
      readonly kind: 'prepare';
      /** The bot's configuration; it never stands in the container's environment. */
      readonly config: JsonObject;
      readonly state: QueryStateSource;
      /** Absent where the state is on the volume. */
      readonly access?: StoreAccess;
      /** Larger results are not handed over. */
      readonly maxReplyBytes: number;
    }
  | {
      readonly kind: 'ask';
      readonly id: number;
      readonly path: string;
      readonly params: JsonObject;
      /** The program is killed after this time, in case nobody else does it. */
      readonly timeoutMs: number;
    };

/** From the container. A query that is taken up is `begun`; `reply` is followed by `bytes` bytes in data frames, then by `end`. */
export type QueryWord =
  /** Code and state are in place. `state`: `volume`, `none`, `archive`, or a snapshot such as `a3/s7`. */
  | { readonly kind: 'ready'; readonly state: string }
  /** It cannot answer anything, and ends. */
  | { readonly kind: 'failed'; readonly code: string; readonly detail: string }
  | { readonly kind: 'begun'; readonly id: number }
  | { readonly kind: 'reply'; readonly id: number; readonly exitCode: number; readonly bytes: number }
  | { readonly kind: 'end'; readonly id: number }
  /** The program left no result, or one that is larger than `maxReplyBytes` (`tooLarge`). `output`: its last words, bounded. */
  | {
      readonly kind: 'none';
      readonly id: number;
      /** 128 + n for a signal. */
      readonly exitCode: number;
      readonly output: string;
      readonly tooLarge?: true;
      readonly timedOut?: true;
    };

export type QueryFrame =
  { readonly kind: 'word'; readonly text: string } | { readonly kind: 'data'; readonly bytes: Buffer };

const HEADER = 5;
const WORD = 1;
const DATA = 2;
/** To the container: a query's parameters or a configuration, and some air. */
const MAX_FRAME = 8 * 1024 * 1024;
/** From the container, where code of the bot can write what it likes: a piece of a reply, or a word with the last of some output. */
export const MAX_SAID_BYTES = 64 * 1024;

const frame = (kind: number, payload: Buffer): Buffer => {
  const header = Buffer.allocUnsafe(HEADER);
  header.writeUInt32BE(payload.length, 0);
  header.writeUInt8(kind, 4);
  return Buffer.concat([header, payload]);
};

export const encodeWord = (word: QueryOrder | QueryWord): Buffer => frame(WORD, Buffer.from(jsonText(word)));
export const encodeData = (bytes: Buffer): Buffer => frame(DATA, bytes);

/**
 * Takes bytes as they come, gives the frames that are whole by then. What is held is one frame, of at most `most` bytes, in one
 * piece: who sends it byte by byte makes us hold no more. @throws Error for what is no frame of ours
 */
export const createFrameParser = (most: number = MAX_FRAME): ((bytes: Buffer) => QueryFrame[]) => {
  const header = Buffer.alloc(HEADER);
  let inHeader = 0;
  /** Of the frame that is under way, once its header is there. */
  let payload: Buffer | undefined;
  let inPayload = 0;

  const begun = (bytes: Buffer, at: number): number => {
    const taken = bytes.copy(header, inHeader, at, at + HEADER - inHeader);
    inHeader += taken;
    return taken;
  };
  const announced = (): number => {
    const length = header.readUInt32BE(0);
    const kind = header.readUInt8(4);
    if (length > most || (kind !== WORD && kind !== DATA)) throw new Error('it is not a frame');
    return length;
  };
  const whole = (content: Buffer): QueryFrame => {
    inHeader = 0;
    payload = undefined;
    inPayload = 0;
    return header.readUInt8(4) === WORD
      ? { kind: 'word', text: content.toString('utf8') }
      : { kind: 'data', bytes: content };
  };

  return (bytes) => {
    const frames: QueryFrame[] = [];
    for (let at = 0; ;) {
      if (inHeader < HEADER) at += begun(bytes, at);
      if (inHeader < HEADER) return frames;
      const length = announced();
      if (payload === undefined && bytes.length - at >= length) {
        frames.push(whole(bytes.subarray(at, at + length)));
        at += length;
        continue;
      }
      payload ??= Buffer.allocUnsafe(length);
      const taken = bytes.copy(payload, inPayload, at);
      inPayload += taken;
      at += taken;
      if (inPayload < length) return frames;
      frames.push(whole(payload));
    }
  };
};
