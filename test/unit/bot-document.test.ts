import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBotDocument, type SpecDefaults } from '../../src/documents/bot-document.ts';
import { isEnabled } from '../../src/documents/is-enabled.ts';

const defaults: SpecDefaults = {
  image: 'img',
  limits: { memoryMb: 512, cpuShares: 512, pids: 256 },
  stopHookMs: 1_000,
  stopGraceMs: 30_000,
  finalSyncMs: 10_000,
  restartPolicy: 'always',
};
const document = (change: object = {}, custom: object = {}, inner: object = {}): Record<string, unknown> => ({
  id: 'a',
  segment_id: 3,
  config: { name: 'a', type: 'realtime/a', version: '1.0.0', apiKey: 'k', nested: { deep: [1] } },
  custom: {
    version: '1.0.0',
    filePath: 'u/a/1.0.0',
    createdAt: 'x',
    config: { runtime: 'python3.11', type: 'realtime', entrypoints: { bot: 'main.py' }, schema: {}, ...inner },
    ...custom,
  },
  ...change,
});
const faultOf = (value: unknown, id = 'a'): string => {
  const decoded = decodeBotDocument(id, value, defaults);
  return decoded.kind === 'invalid' ? decoded.reason : '';
};

describe('documents of contract §3', () => {
  it('become an effective spec, the config untouched', () => {
    expect(decodeBotDocument('a', document(), defaults)).toEqual({
      kind: 'spec',
      enabled: true,
      warnings: [],
      spec: {
        id: 'a',
        config: { name: 'a', type: 'realtime/a', version: '1.0.0', apiKey: 'k', nested: { deep: [1] } },
        code: { filePath: 'u/a/1.0.0', version: '1.0.0' },
        runtime: 'python3.11',
        entrypoints: { bot: 'main.py' },
        ...defaults,
      },
    });
  });
  it('take settings of ours at the root over those in the config', () => {
    const config = { drover: { memoryMb: 64, restartPolicy: 'never' } };
    const decoded = decodeBotDocument(
      'a',
      document({ config, drover: { memoryMb: 128, stopGraceSeconds: 5 } }),
      defaults,
    );
    expect(decoded).toMatchObject({
      spec: { limits: { memoryMb: 128 }, restartPolicy: 'never', stopGraceMs: 5_000 },
    });
  });
  it.each([
    ['/custom/config/runtime', document({}, {}, { runtime: 'cobol' })],
    ['/custom/config/entrypoints', document({}, {}, { entrypoints: 7 })],
    ['/custom/filePath', document({}, { filePath: '../../etc/passwd' })],
    ['/custom/filePath', document({}, { filePath: '/abs' })],
    ['/custom/filePath', document({}, { filePath: '' })],
    ['/custom/config/entrypoints/bot', document({}, {}, { entrypoints: { bot: '../x' } })],
    ['/config', document({ config: [] })],
    ['/config/type', document({ config: { type: 'scheduled/a' } })],
    ['/id', document({ id: 'b' })],
    ['/custom', { id: 'a', config: {} }],
    ['/drover/memoryMb', document({ drover: { memoryMb: 1 } })],
    ['/drover/restartPolicy', document({ drover: { restartPolicy: 'sometimes' } })],
    ['/drover', document({ drover: 7 })],
  ])('are refused with the pointer %s', (pointer, value) => {
    expect(faultOf(value)).toContain(pointer);
  });
  it('with a path for an id are refused by that', () => {
    expect(decodeBotDocument('../x', document({ id: '../x' }), defaults)).toMatchObject({ code: 'BOT_ID_INVALID' });
  });
  it('whatever they hold never make it throw', () => {
    const json = fc.jsonValue({ maxDepth: 5 });
    fc.assert(
      fc.property(json, json, json, (a, b, c) => {
        for (const value of [a, { ...document(), config: b, custom: c }, { ...document(), drover: a, enabled: b }]) {
          expect(['spec', 'invalid']).toContain(decodeBotDocument('a', value, defaults).kind);
        }
      }),
    );
    const hostile: unknown = JSON.parse('{"id":"a","__proto__":{"enabled":false},"config":{"__proto__":{"x":1}}}');
    expect(decodeBotDocument('a', hostile, defaults).kind).toBe('invalid');
    expect(({} as { enabled?: boolean }).enabled).toBeUndefined();
  });
});

describe('case A7: the size of a configuration', () => {
  const sized = (bytes: number, runtime: string) => {
    const config = { text: 'ü'.repeat(100) };
    const rest = bytes - Buffer.byteLength(JSON.stringify(config));
    return document({ config: { text: `${config.text}${'x'.repeat(rest)}` } }, {}, { runtime });
  };
  it.each<[string, number]>([
    ['python3.11', 1_048_576],
    ['nodejs20', 1_048_576],
    ['rust-stable', 131_060],
    ['scala3', 131_060],
  ])('of a bot of %s may be %i bytes as JSON, and no more', (runtime, most) => {
    expect(faultOf(sized(most, runtime))).toBe('');
    const said = `/config: has ${String(most + 1)} bytes as JSON, and a bot of the runtime ${runtime} can get at most ${String(most)}`;
    expect(faultOf(sized(most + 1, runtime))).toBe(said);
  });
});

describe('the enabled rule', () => {
  it.each<[unknown, unknown, boolean | undefined]>([
    [undefined, undefined, true],
    [true, undefined, true],
    [false, undefined, false],
    [false, true, false],
    [true, false, false],
    [true, 'false', true],
    [undefined, true, true],
    [undefined, false, false],
    [undefined, 'false', false],
    [undefined, '0', false],
    [undefined, 'no', false],
    [undefined, 0, false],
    [undefined, 1, true],
    [undefined, null, true],
    ['false', undefined, false],
    [undefined, 'perhaps', undefined],
  ])('root %j, config %j: %j', (root, inner, expected) => {
    const value = {
      ...(root === undefined ? {} : { enabled: root }),
      config: inner === undefined ? {} : { enabled: inner },
    };
    expect(isEnabled(value)).toBe(expected);
  });
  it('can be told of a broken document, and not of what is none', () => {
    expect(isEnabled({ enabled: false, custom: 7 })).toBe(false);
    expect(isEnabled('x')).toBeUndefined();
  });
});
