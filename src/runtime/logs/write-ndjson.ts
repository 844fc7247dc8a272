/** Lines of output into memory that is there already: a flood of long lines leaves no litter behind. */
import { characterEnd } from './character-end.ts';
import { timestampOf, toNdjson } from './ndjson.ts';

/** A line up to this length becomes a string as a whole. */
const SHORT_BYTES = 64 * 1024;
const BRACE = '{'.charCodeAt(0);
/** What a byte of output becomes at most: `\\u0001`. */
const MOST_PER_BYTE = 6;
const FRAME = 64;

/** Memory that takes every line of this many bytes. */
export const roomFor = (bytes: number): number => bytes * MOST_PER_BYTE + FRAME;

const beginsObject = (bytes: Buffer): boolean => bytes.find((byte) => byte > 32) === BRACE;

function* slices(bytes: Buffer): Generator<string> {
  for (let rest = bytes; rest.length > 0;) {
    const cut = rest.length <= SHORT_BYTES ? rest.length : characterEnd(rest, SHORT_BYTES);
    yield rest.toString('utf8', 0, cut);
    rest = rest.subarray(cut);
  }
}

/** As `messageLine`, slice by slice. */
const writeLong = (out: Buffer, offset: number, bytes: Buffer, at: number): number => {
  if (offset + roomFor(bytes.length) > out.length) return -1;
  let size = offset + out.write(`{"timestamp":"${timestampOf(at)}","message":"`, offset);
  let blank = true;
  for (const text of slices(bytes.at(-1) === 13 ? bytes.subarray(0, -1) : bytes)) {
    blank &&= text.trim() === '';
    size += out.write(JSON.stringify(text).slice(1, -1), size);
  }
  size += out.write('"}\n', size);
  return blank ? 0 : size - offset;
};

/** Writes the line's NDJSON with its newline at `offset`. Bytes written: 0 for a blank line, -1 when it has no room. */
export const writeNdjson = (out: Buffer, offset: number, bytes: Buffer, at: number): number => {
  if (bytes.length > SHORT_BYTES && !beginsObject(bytes)) return writeLong(out, offset, bytes, at);
  const json = toNdjson(bytes.toString('utf8'), at);
  if (json === undefined) return 0;
  if (offset + Buffer.byteLength(json) + 1 > out.length) return -1;
  const size = out.write(json, offset);
  return size + out.write('\n', offset + size);
};
