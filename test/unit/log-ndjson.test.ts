/** Lines of output as lines of the day's file (contract §4). */
import { describe, expect, it } from 'vitest';
import { chunksOf, logSubject } from '../../src/runtime/logs/live.ts';
import { dayOf, timestampOf, toNdjson } from '../../src/runtime/logs/ndjson.ts';

const AT = Date.UTC(2026, 0, 31, 23, 59, 59, 999);
const STAMP = '2026-01-31T23:59:59Z';

describe('a line of the log', () => {
  it.each([
    ['hello', `{"timestamp":"${STAMP}","message":"hello"}`],
    ['  two spaces  ', `{"timestamp":"${STAMP}","message":"  two spaces  "}`],
    ['from windows\r', `{"timestamp":"${STAMP}","message":"from windows"}`],
    ['"text"', `{"timestamp":"${STAMP}","message":"\\"text\\""}`],
    ['[1]', `{"timestamp":"${STAMP}","message":"[1]"}`],
    ['12', `{"timestamp":"${STAMP}","message":"12"}`],
    ['null', `{"timestamp":"${STAMP}","message":"null"}`],
    ['{not json', `{"timestamp":"${STAMP}","message":"{not json"}`],
    ['{"z":1,"timestamp":"x", "a":2}', '{"z":1,"timestamp":"x", "a":2}'],
    ['{"timestamp":null}', '{"timestamp":null}'],
    ['{"z":1,"a":{"c":1,"b":[{"y":1,"x":2}]}}', `{"a":{"b":[{"x":2,"y":1}],"c":1},"timestamp":"${STAMP}","z":1}`],
    ['{"10":1,"9":2}', `{"10":1,"9":2,"timestamp":"${STAMP}"}`],
    ['{"__proto__":1}', `{"__proto__":1,"timestamp":"${STAMP}"}`],
    [' {} ', `{"timestamp":"${STAMP}"}`],
    ['{"id":12345678901234567890,"a":1}', `{"timestamp":"${STAMP}","id":12345678901234567890,"a":1}`],
    ['{ }'.padEnd(30), `{"timestamp":"${STAMP}"}`],
  ])('%j', (line, expected) => {
    expect(toNdjson(line, AT)).toBe(expected);
    JSON.parse(expected);
  });

  it.each(['', ' ', '\t', '\r', ' \r'])('%j is blank', (line) => {
    expect(toNdjson(line, AT)).toBeUndefined();
  });

  it('survives nesting deeper than any stack', () => {
    const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(toNdjson(deep, AT)).toMatch(/"timestamp":"2026/);
  });

  it('belongs to the UTC day', () => {
    expect([dayOf(AT), dayOf(AT + 1), timestampOf(AT + 1)]).toEqual(['20260131', '20260201', '2026-02-01T00:00:00Z']);
  });
});

describe('live chunks', () => {
  it.each([
    ['abc-DEF_9', 'abc-DEF_9'],
    ['a.b c/ü雪💥', 'a_b_c____'],
    ['', 'unknown'],
  ])('of %j have a subject', (id, token) => {
    expect(logSubject(id)).toBe(`the0.bot.logs.${token}`);
  });

  it('are cut at newlines, and a longer line between characters', () => {
    const chunks = (text: string, room: number): string[] => [...chunksOf(Buffer.from(text), room)].map(String);
    expect(chunks('a\nb\nc\n', 4)).toEqual(['a\nb\n', 'c\n']);
    expect(chunks('aaaaaa\nb\n', 4)).toEqual(['aaaa', 'aa\n', 'b\n']);
    expect(chunks('üüüü\n', 3)).toEqual(['ü', 'ü', 'ü', 'ü\n']);
    expect(chunks('', 3)).toEqual([]);
  });
});
