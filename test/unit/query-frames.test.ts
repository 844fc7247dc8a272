/** The frames between the controller and `runtime query`: however the bytes are cut, and whatever is no frame of ours. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createFrameParser,
  encodeData,
  encodeWord,
  MAX_SAID_BYTES,
  type QueryFrame,
} from '../../src/domain/query-frames.ts';

const HEADER = 5;
const MAX_FRAME = 8 * 1024 * 1024;

const header = (length: number, kind: number): Buffer => {
  const bytes = Buffer.alloc(HEADER);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt8(kind, 4);
  return bytes;
};
const encode = (frame: QueryFrame): Buffer =>
  frame.kind === 'data'
    ? encodeData(frame.bytes)
    : encodeWord(JSON.parse(frame.text) as Parameters<typeof encodeWord>[0]);
const plain = (frames: readonly QueryFrame[]): unknown[] =>
  frames.map((frame) => (frame.kind === 'data' ? frame.bytes.toString('hex') : (JSON.parse(frame.text) as unknown)));

const frames = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes): QueryFrame => ({ kind: 'data', bytes: Buffer.from(bytes) })),
    fc
      .record({ id: fc.nat(), output: fc.string({ unit: 'binary' }) })
      .map((word): QueryFrame => ({ kind: 'word', text: JSON.stringify({ kind: 'none', exitCode: 1, ...word }) })),
  ),
  { maxLength: 12 },
);

describe('a stream of frames', () => {
  it('is the same however its bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.map(encode));
        const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
        const parse = createFrameParser();
        const got = at.slice(1).flatMap((to, index) => parse(bytes.subarray(at[index], to)));
        expect(plain(got)).toEqual(plain(sent));
      }),
    );
  });
  it('comes byte by byte, and nothing is given before it is whole', () => {
    const parse = createFrameParser();
    const bytes = encodeWord({ kind: 'ready', state: 'a3/s7' });
    for (const byte of bytes.subarray(0, -1)) expect(parse(Buffer.from([byte]))).toEqual([]);
    expect(parse(bytes.subarray(-1))).toEqual([{ kind: 'word', text: '{"kind":"ready","state":"a3/s7"}' }]);
  });
  it('may be of large frames that come byte by byte, between others', () => {
    const parse = createFrameParser(MAX_SAID_BYTES);
    const sent = [Buffer.alloc(MAX_SAID_BYTES, 'x'), Buffer.from('y'), Buffer.alloc(3_000, 'z')];
    const got: QueryFrame[] = [];
    for (const byte of Buffer.concat(sent.map(encodeData))) got.push(...parse(Buffer.from([byte])));
    expect(plain(got)).toEqual(sent.map((bytes) => bytes.toString('hex')));
  });
  it('may hold frames without content', () => {
    expect(createFrameParser()(encodeData(Buffer.alloc(0)))).toEqual([{ kind: 'data', bytes: Buffer.alloc(0) }]);
  });
});

describe('what is no frame', () => {
  it('is refused at its header, before anything is held for it', () => {
    for (const bytes of [header(1, 0), header(1, 3), header(MAX_FRAME + 1, 1), header(0xffffffff, 2)]) {
      expect(() => createFrameParser()(bytes)).toThrow('not a frame');
    }
    expect(createFrameParser()(header(MAX_FRAME, 2))).toEqual([]);
  });
  it('is also what is larger than the other side ever sends', () => {
    const parse = createFrameParser(MAX_SAID_BYTES);
    expect(parse(encodeData(Buffer.alloc(MAX_SAID_BYTES)))).toHaveLength(1);
    expect(() => parse(header(MAX_SAID_BYTES + 1, 2))).toThrow('not a frame');
  });
  it('such as output of a bot between two frames gives an error or frames, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
        const parse = createFrameParser();
        try {
          const got = parse(Buffer.concat([encodeData(Buffer.from('x')), Buffer.from(noise)]));
          expect(got[0]).toEqual({ kind: 'data', bytes: Buffer.from('x') });
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(Error);
        }
      }),
    );
    expect(() => createFrameParser()(Buffer.from('a line of the bot\n'))).toThrow('not a frame');
  });
});
