/** Lines of a bot's output as they are passed on. */
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { lineSink, outputLines } from '../../src/runtime/output-lines.ts';
import { outputTarget, passOn } from '../../src/runtime/pass-on.ts';

const textOf = (bytes: Buffer | undefined): string | undefined => bytes?.toString();
const taking = (...chunks: string[]): string => {
  const lines = outputLines();
  const out = chunks.map((chunk) => textOf(lines.take(Buffer.from(chunk))) ?? '');
  return out.join('') + (textOf(lines.rest()) ?? '');
};

describe('lines of one stream', () => {
  it.each([
    [['one\ntwo\n'], 'one\ntwo\n'],
    [['on', 'e\ntw', 'o'], 'one\ntwo'],
    [['one\r\n', 'two\r', '\nthree\r\n'], 'one\r\ntwo\r\nthree\r\n'],
    [['\r10%', '\r20%', '\r100%\n', 'done\n'], '100%\ndone\n'],
    [['\r10%\r20%\rdone\nnext\n'], 'done\nnext\n'],
    [['\r10%', '\r20%'], '20%\n'],
    [['a\n\n\nb\n'], 'a\n\n\nb\n'],
    [['"a\\rb"\n'], '"a\\rb"\n'],
    [['ä'.repeat(3), '\n'], 'äää\n'],
  ])('case D10: %j is passed on as %j', (chunks, expected) => {
    expect(taking(...chunks)).toBe(expected);
  });
  it('case D10: holds the beginning of a line until its end, or until it is asked for', () => {
    const lines = outputLines();
    expect(textOf(lines.take(Buffer.from('one\ntw')))).toBe('one\n');
    expect(lines.waits()).toBe('line');
    expect(textOf(lines.rest())).toBe('tw');
    expect(lines.waits()).toBeUndefined();
    expect(textOf(lines.take(Buffer.from('o\n')))).toBe('o\n');
  });
  it('case D10: the beginning that was passed on is not written over', () => {
    const lines = outputLines();
    lines.take(Buffer.from('working'));
    expect(textOf(lines.rest())).toBe('working');
    expect(textOf(lines.take(Buffer.from('\rdone\n')))).toBe('\ndone\n');
  });
  it('case D10: a line without an end is passed on in pieces, and nothing is lost', () => {
    const long = 'x'.repeat(1_000_000);
    const chunks = Array.from({ length: 10 }, () => long);
    expect(taking(...chunks, '\n')).toBe(`${long.repeat(10)}\n`);
  });
});

describe('lines of several streams in one place', () => {
  it('case D10: a line that one has begun is not continued by another', () => {
    let text = '';
    const sink = lineSink((bytes) => {
      text += bytes.toString();
      return true;
    });
    const [a, b] = [{}, {}];
    sink.put(a, Buffer.from('a begins'));
    sink.put(b, Buffer.from('{"_metric":"x"}\n'));
    sink.put(a, Buffer.from(', a ends\n'));
    sink.put(b, Buffer.from('b\n'));
    expect(text).toBe('a begins\n{"_metric":"x"}\n, a ends\nb\n');
  });
  it('case D10: a progress bar beside 500 metrics loses none of them', async () => {
    const target = new PassThrough();
    target.resume();
    let text = '';
    const log = lineSink((bytes) => {
      text += bytes.toString();
      return true;
    });
    const out = new PassThrough();
    const bar = new PassThrough();
    const both = [out, bar].map((stream) =>
      passOn(stream, outputTarget(target), (bytes, source) => log.put(source, bytes)),
    );
    for (let n = 0; n < 500; n += 1) {
      const line = `${JSON.stringify({ _metric: 'n', n })}\n`;
      bar.write(`\r${String(n)}/500`);
      out.write(line.slice(0, 9));
      if (n % 50 === 0) await new Promise(setImmediate);
      out.write(line.slice(9));
    }
    out.end();
    bar.end();
    await Promise.all(both);
    const lines = text.split('\n').filter((line) => line !== '');
    expect(lines.filter((line) => line.startsWith('{')).map((line) => (JSON.parse(line) as { n: number }).n)).toEqual(
      Array.from({ length: 500 }, (_, n) => n),
    );
    expect(lines.filter((line) => !line.startsWith('{'))).toEqual(['499/500']);
  });
});
