/** The reference's form of replies that are too large to be parsed whole (contract §8.3, feature F8). */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { openQueryWorld, type FakeReply } from '../support/query-world.ts';

const BIG = 'x'.repeat(70_000);

/** In chunks of these sizes, so that what is held back crosses them. */
const chunked = (text: string, size: number): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
      Buffer.from(text.slice(at * size, (at + 1) * size)),
    ),
    { objectMode: false },
  );

const ask = async (body: FakeReply['body'], contentType = 'application/json') => {
  const world = openQueryWorld({ maxReplyBytes: 4_000_000 });
  world.bot('b', 'running');
  world.running = () => ({ contentType, body });
  const response = await world.app.request('http://localhost/query', {
    method: 'POST',
    body: '{"bot_id":"b","query_path":"/x"}',
  });
  const text = await response.text().catch((thrown: unknown) => `broke off: ${String(thrown)}`);
  await expect.poll(() => world.queries.handler.metrics().inFlight).toBe(0);
  return { status: response.status, text };
};
const told = (text: string): unknown => JSON.parse(text);
const stamp = { duration: expect.any(Number) as number, timestamp: expect.any(String) as string };

describe('large replies at POST /query', () => {
  it.each([
    ['an array', `[{"a":"${BIG}"}]`],
    ['a text', `hello ${BIG}}`],
    ['a text in braces', `{hello ${BIG}}`],
    ['blanks', ' '.repeat(200_000)],
  ])('%s is told as invalid before anything is sent', async (_, body) => {
    const { status, text } = await ask(body, 'text/plain');
    expect(status).toBe(500);
    expect(told(text)).toEqual({ status: 'error', error: 'the reply of the bot is not a JSON object', ...stamp });
  });

  it.each([
    ['a large error', `{"status":"error","error":"${BIG}"}`, BIG],
    ['one with blanks', ` {\n "status" : "error" , "error": "no price", "more": "${BIG}" }`, 'no price'],
  ])('%s is 500, in the words of the bot', async (_, body, error) => {
    const { status, text } = await ask(chunked(body, 10_000), 'text/plain');
    expect(status).toBe(500);
    expect(told(text)).toMatchObject({ status: 'error', ...stamp });
    expect((told(text) as { error: string }).error).toMatch(error);
  });

  it('a small error is 500 whatever it calls itself', async () => {
    const { status, text } = await ask('{"status":"error","error":"no price"}', 'text/plain');
    expect({ status, body: told(text) }).toEqual({
      status: 500,
      body: { status: 'error', error: 'no price', ...stamp },
    });
  });

  it.each([1, 7, 63, 64, 65, 4_096, 100_000])(
    'every byte but the closing brace is kept, in chunks of %i',
    async (size) => {
      const blanks = ' '.repeat(300);
      const body = `{"status":"ok","data":{"a":[{"b":"${BIG}${blanks}}"}]}${blanks}\n`;
      const { status, text } = await ask(chunked(`${body}}\r\n${blanks}`, size));
      expect(status).toBe(200);
      expect(text.startsWith(`${body},"duration":`)).toBe(true);
      expect(told(text)).toEqual({ status: 'ok', data: { a: [{ b: BIG + blanks + '}' }] }, ...stamp });
    },
  );

  it('our duration is the one that counts', async () => {
    const { text } = await ask(`{"status":"ok","data":"${BIG}","duration":-1,"timestamp":7}`);
    expect(told(text)).toMatchObject(stamp);
    expect((told(text) as { duration: number }).duration).toBeGreaterThanOrEqual(0);
  });

  it.each([
    ['is cut off', `{"status":"ok","data":"${BIG}`, /not a complete object/],
    ['ends in nothing but blanks', `{"status":"ok","data":"${BIG}"}${' '.repeat(200_000)}`, /too much white space/],
  ])('one that %s breaks off', async (_, body, why) => {
    const { text } = await ask(chunked(body, 10_000));
    expect(text).toMatch(/^broke off/);
    expect(text).toMatch(why);
  });

  it('what the bot holds open is given up with a reply that is not taken', async () => {
    const source = new Readable({
      read() {
        this.push(Buffer.alloc(10_000, 'x'));
      },
    });
    expect((await ask(source, 'text/plain')).status).toBe(500);
    expect(source.destroyed).toBe(true);
  });
});
