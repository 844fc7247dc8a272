/** JSON and YAML as they were written: numbers to the digit, keys in their order, and a limit for what is nested. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText } from '../../src/documents/decode-text.ts';
import { decodeBotDocument } from '../../src/documents/bot-document.ts';
import { readYaml, YamlRefused } from '../../src/documents/read-yaml.ts';
import { jsonText } from '../../src/domain/json-text.ts';
import { JsonRefused, parseJson } from '../../src/domain/parse-json.ts';
import { specHash } from '../../src/domain/spec-hash.ts';
import { jsonSource } from '../support/json-source.ts';
import { referenceDocument } from '../support/reference-document.ts';
import { DEFAULTS } from '../support/spec-defaults.ts';

const thrownBy = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (thrown) {
    return thrown;
  }
};
const yaml = (text: string): string => jsonText(readYaml(text));
const refusal = (text: string): string => {
  const thrown = thrownBy(() => readYaml(text));
  if (!(thrown instanceof YamlRefused)) return `not refused: ${JSON.stringify(thrown)}`;
  return `${String(thrown.line)}:${String(thrown.column)} ${thrown.message}`;
};

describe('JSON text', () => {
  it('case A1: comes out as it went in, whatever its numbers and keys are', () => {
    fc.assert(
      fc.property(jsonSource(), (text) => {
        expect(jsonText(parseJson(text))).toBe(text);
        // As an indented text it means the same.
        expect(jsonText(parseJson(jsonText(parseJson(text), 2)))).toBe(text);
      }),
    );
  });
  it('case A1: survives what drover does to an object that holds it', () => {
    const config = parseJson('{"b":10.0,"9":1098765432109876543,"1":-0,"__proto__":{"x":1e5}}') as object;
    expect(jsonText({ ...config, enabled: false })).toBe(
      '{"b":10.0,"9":1098765432109876543,"1":-0,"__proto__":{"x":1e5},"enabled":false}',
    );
  });
  it('counts of equal keys the last one, or refuses them', () => {
    expect(jsonText(parseJson('{"a":1,"b":2,"a":3.0}'))).toBe('{"a":3.0,"b":2}');
    expect(thrownBy(() => parseJson('{"a":{"b":1,"b":2}}', { uniqueKeys: true }))).toBeInstanceOf(JsonRefused);
  });
  it('case E2: of any depth is refused by its limit and never overflows', () => {
    for (const depth of [65, 2_200, 500_000]) {
      const thrown = thrownBy(() => parseJson('['.repeat(depth) + ']'.repeat(depth)));
      expect(thrown).toMatchObject({ message: 'is nested more than 64 levels deep', isSyntax: false });
    }
    expect(jsonText(parseJson('['.repeat(64) + ']'.repeat(64)))).toHaveLength(128);
    expect(thrownBy(() => parseJson(`[${'0,'.repeat(200_000)}0]`))).toMatchObject({
      message: 'has more than 200000 values',
    });
  });
  it('that is none is refused without a word of what it holds', () => {
    for (const text of ['', '{', '{"secret":"hunter2"', '{"secret": hunter2}', '[01]', '[1.]', 'NaN']) {
      const thrown = thrownBy(() => parseJson(text));
      expect(thrown).toMatchObject({ isSyntax: true });
      expect((thrown as Error).message).toMatch(/^is not JSON/);
      expect((thrown as Error).message).not.toContain('hunter2');
    }
  });
});

describe('a document', () => {
  const decoded = (config: string) => {
    const document = { ...referenceDocument('a', {}), config: parseJson(config) };
    const found = decodeBotDocument('a', document, DEFAULTS);
    if (found.kind === 'invalid') throw new Error(found.reason);
    return found.spec;
  };
  it('case A1: hands on its config to the digit, and drover’s own fields are read as numbers', () => {
    const text = '{"type":"realtime/x","stake":10.0,"id":1098765432109876543,"drover":{"memoryMb":64.0}}';
    const spec = decoded(text);
    expect(jsonText(spec.config)).toBe(text);
    expect(spec.limits.memoryMb).toBe(64);
  });
  it('case A1: has another hash when only the text of a number differs, and not when only spaces or keys do', () => {
    const hash = (text: string): string => specHash(decoded(text));
    expect(hash('{"stake":10.0}')).not.toBe(hash('{"stake":10}'));
    expect(hash('{"id":1098765432109876543}')).not.toBe(hash('{"id":1098765432109876544}'));
    expect(hash('{"2":1,"a":2}')).toBe(hash('{ "a": 2, "2": 1 }'));
  });
});

describe('YAML', () => {
  it('case A1: keeps numbers as they are written, in the form that JSON has for them', () => {
    expect(
      yaml('{a: 1098765432109876543, b: 10.0, c: .5, d: +5, e: 5., f: 010, g: 0x1F, h: 0o17, i: 1e3, j: -.5}'),
    ).toBe('{"a":1098765432109876543,"b":10.0,"c":0.5,"d":5,"e":5.0,"f":10,"g":31,"h":15,"i":1e3,"j":-0.5}');
    expect(yaml('{a: 0xFFFFFFFFFFFFFFFF, b: 1_000, c: 2024-01-01, d: 12:30, e: no, f: "1.0", g: !!str 7}')).toBe(
      '{"a":18446744073709551615,"b":"1_000","c":"2024-01-01","d":"12:30","e":"no","f":"1.0","g":"7"}',
    );
  });
  it('case A1: refuses with its place what JSON cannot express', () => {
    expect(refusal('id: a\nconfig:\n  limit: .inf')).toBe('3:10 /config/limit is a number that JSON cannot express');
    expect(refusal('config: [1, .NaN]')).toBe('1:13 /config/1 is a number that JSON cannot express');
    expect(refusal('a: !!binary aGk=')).toMatch(/^1:\d+ \/a is of a kind that JSON cannot express/);
    expect(refusal('a: !mine x')).toMatch(/^1:4 .*!mine/);
    expect(refusal('a: !!set {x}')).toMatch(/^1:\d+ \/a has the tag/);
  });
  it('case A2: merges as its users mean it: own keys win, then the first of several', () => {
    expect(yaml('base: &d {dry_run: true, x: 1}\nconfig:\n  <<: *d\n  x: 2')).toBe(
      '{"base":{"dry_run":true,"x":1},"config":{"dry_run":true,"x":2}}',
    );
    expect(yaml('a: &a {x: 1}\nb: &b {x: 2, y: 3.0}\nc: {z: 0, <<: [*a, *b]}\nd: {"<<": text}')).toBe(
      '{"a":{"x":1},"b":{"x":2,"y":3.0},"c":{"z":0,"x":1,"y":3.0},"d":{"<<":"text"}}',
    );
    expect(refusal('config:\n  <<: 3')).toBe('2:7 /config merges (`<<`) something that is no mapping');
    expect(refusal('config:\n  <<: *nobody')).toMatch(/^2:7 .*nobody/);
  });
  it('case A5: takes an id of digits as the text that was written', () => {
    expect(yaml('id: 2024')).toBe('{"id":"2024"}');
    expect(yaml('id: 007')).toBe('{"id":"007"}');
    expect(yaml('{"id": 1098765432109876543}')).toBe('{"id":"1098765432109876543"}');
  });
  it('keeps the order of keys and keys that look like something else', () => {
    expect(yaml('b: 1\n10: 2\n2: 3\n1.0: 4\ntrue: 5\n__proto__: {x: 1}')).toBe(
      '{"b":1,"10":2,"2":3,"1.0":4,"true":5,"__proto__":{"x":1}}',
    );
  });
  it('that is unclear is refused in one line, with its place', () => {
    expect(refusal('a: 1\nb: 2\na: 3')).toBe('3:1 a key stands twice in one mapping');
    expect(refusal('1: a\n"1": b')).toBe('2:1 has the key `1` twice');
    expect(refusal('? [a]\n: b')).toMatch(/a key that is a list or a mapping/);
    expect(refusal('a: 1\n---\nb: 2')).toMatch(/^2:1 the file has more than one document/);
    expect(refusal('a:\n\t- b')).toMatch(/^2:1 a tab/);
    expect(refusal('%YAML 1.1\n---\na: yes')).toMatch(/YAML 1\.1/);
    for (const text of ['a: "x', 'a: b: c', '{', 'a: *x']) expect(refusal(text)).toMatch(/^\d+:\d+ [^\n]+$/);
  });
  it('case E2: has limits: depth, and what aliases become', () => {
    expect(refusal(`${'['.repeat(100)}${']'.repeat(100)}`)).toMatch(/is nested more than 64 levels deep$/);
    expect(refusal('['.repeat(100_000))).toMatch(/nested more than 64 levels deep$|Flow sequence/);
    expect(refusal('a: &a [*a]')).toMatch(/nested more than 64 levels deep$/);
    const lines = ['a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]'];
    for (let n = 1; n < 8; n += 1) lines.push(`a${String(n)}: &a${String(n)} [${`*a${String(n - 1)}, `.repeat(10)}]`);
    expect(refusal(lines.join('\n'))).toMatch(/has more than 200000 values$/);
  });
  it('case A1: of a JSON text is that text', () => {
    fc.assert(
      fc.property(jsonSource({ forYaml: true }), (text) => {
        expect(yaml(`{"config": ${text}}`)).toBe(`{"config":${text}}`);
      }),
    );
  });
});

describe('bytes of a document', () => {
  it('case A5: are UTF-8 or UTF-16, with or without a mark', () => {
    const text = 'id: bär';
    const swapped = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16();
    const little = Buffer.from(text, 'utf16le');
    const all = [
      Buffer.from(text),
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(text)]),
      little,
      Buffer.concat([Buffer.from([0xff, 0xfe]), little]),
      swapped(little),
      Buffer.concat([Buffer.from([0xfe, 0xff]), swapped(little)]),
    ];
    for (const bytes of all) expect(decodeText(bytes)).toBe(text);
    expect(decodeText(Buffer.alloc(0))).toBe('');
  });
  it('case A5: that are neither are refused with the encoding and the place', () => {
    expect(() => decodeText(Buffer.from('id: b\xe4r', 'latin1'))).toThrow(
      'is not UTF-8 text: the bytes near offset 6 are invalid',
    );
    expect(() => decodeText(Buffer.from([0xff, 0xfe, 0, 0, 0x69, 0, 0, 0]))).toThrow('is UTF-32 text');
  });
});
