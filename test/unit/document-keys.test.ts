/** Keys of a document that nobody knows, and values of the wrong kind: told with the place, one sentence, and the nearest name. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { serverUrl } from '../../src/cli/server-url.ts';
import { decodeBotDocument } from '../../src/documents/bot-document.ts';
import { readEnabled } from '../../src/documents/is-enabled.ts';
import { decodeScheduleDocument } from '../../src/documents/schedule-document.ts';
import { referenceDocument, referenceSchedule, type DocumentChange } from '../support/reference-document.ts';
import { DEFAULTS } from '../support/spec-defaults.ts';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bot = (change: DocumentChange = {}) => decodeBotDocument('a', referenceDocument('a', change), DEFAULTS);
const schedule = (drover: object, config: object = {}) =>
  decodeScheduleDocument('s', referenceSchedule('s', { schedule: '30 4 * * *', drover, config }), DEFAULTS);
const faults = (decoded: ReturnType<typeof bot> | ReturnType<typeof schedule>): readonly string[] =>
  (decoded.kind === 'invalid' ? decoded.pointers : []).map(({ pointer, message }) => `${pointer} ${message}`);
const warnings = (decoded: ReturnType<typeof bot>): readonly string[] =>
  (decoded.kind === 'spec' ? decoded.warnings : []).map(({ pointer, message }) => `${pointer} ${message}`);

describe('case A4: keys below `drover`', () => {
  it('that are misspelt are refused, each with its pointer and the nearest known name', () => {
    const drover = { timezone: 'America/New_York', maxRunSecs: 50, memoryMB: 1024, retry_policy: 'never' };
    expect(faults(schedule(drover))).toEqual([
      '/config/drover/timezone is not known; did you mean `timeZone`?',
      '/config/drover/maxRunSecs is not known; did you mean `maxRunSeconds`?',
      '/config/drover/memoryMB is not known; did you mean `memoryMb`?',
      '/config/drover/retry_policy is not known; did you mean `restartPolicy`?',
    ]);
  });
  it('that are like no name of ours are refused, too, in both places', () => {
    const wrong = { root: { drover: { colour: 1 } }, config: { drover: { 'a/b~c': 2 } } };
    expect(faults(bot(wrong))).toEqual(['/config/drover/a~1b~0c is not known', '/drover/colour is not known']);
  });
  it('that only schedules have are refused for a realtime bot, which would not heed them', () => {
    expect(faults(bot({ root: { drover: { maxRunSeconds: 5 } } }))).toEqual([
      '/drover/maxRunSeconds is a setting of scheduled bots, and this bot is realtime',
    ]);
  });
  it('with no value at all are as if they were not there', () => {
    expect(bot({ root: { drover: null } })).toMatchObject({ kind: 'spec', warnings: [] });
  });
});

describe('case A4: keys where other programs have keys, too', () => {
  it.each<[string, DocumentChange, string]>([
    ['at the root', { root: { enabeld: false } }, '/enabeld is not known; did you mean `enabled`?'],
    ['at the root, in another case', { root: { Enabled: false } }, '/Enabled is not known; did you mean `enabled`?'],
    [
      'a setting at the root',
      { root: { memory_mb: 64 } },
      '/memory_mb is not known here; did you mean `drover.memoryMb`?',
    ],
    [
      'the same, well spelt',
      { root: { timeZone: 'UTC' } },
      '/timeZone is not known here; did you mean `drover.timeZone`?',
    ],
    [
      'in custom.config',
      { custom: { runtimes: 'x' } },
      '/custom/config/runtimes is not known; did you mean `runtime`?',
    ],
    [
      'in entrypoints',
      { custom: { entrypoints: { bot: 'main.js', querry: 'q.js' } } },
      '/custom/config/entrypoints/querry is not known; did you mean `query`?',
    ],
    ['in config', { config: { Drover: { memoryMb: 64 } } }, '/config/Drover is not known; did you mean `drover`?'],
  ])('%s: a slip counts for nothing and is told', (_where, change, warning) => {
    const decoded = bot(change);
    expect(warnings(decoded)).toEqual([warning]);
    expect(decoded).toMatchObject({ kind: 'spec', enabled: true });
  });
  it('of theirs are nobody’s mistake, and what is in `config` is the bot’s', () => {
    const root = { _id: 'x', segment_id: 1, topicName: 't', next_execution_time: 5, __v: 0, userId: 'u', createdAt: 1 };
    const config = { timezone: 'x', maxRunSecs: 5, memoryMB: 3, enable: true, droverr: 1, schedul: 'x' };
    const custom = { authors: [], backtest: true, names: 'x', tags: [] };
    expect(bot({ root, config, custom })).toMatchObject({ kind: 'spec', warnings: [] });
  });
  it('stand beside a field that is missing, which is what they were meant for', () => {
    expect(faults(bot({ custom: { runtime: undefined, run_time: 'nodejs20' } }))).toEqual([
      '/custom/config/runtime is missing',
      '/custom/config/run_time is not known; did you mean `runtime`?',
    ]);
  });
});

describe('case A4: values of the wrong kind', () => {
  it.each<[DocumentChange, readonly string[]]>([
    [{ root: { drover: { memoryMb: '64' } } }, ['/drover/memoryMb must be a number, not text']],
    [{ root: { drover: { memoryMb: 64.5 } } }, ['/drover/memoryMb must be a whole number, not a fraction']],
    [{ root: { drover: { memoryMb: 1 } } }, ['/drover/memoryMb must be at least 16']],
    [{ config: { drover: { pids: 9e9 } } }, ['/config/drover/pids must be at most 32768']],
    [{ root: { drover: { memoryMb: null } } }, ['/drover/memoryMb must be a number, not empty']],
    [{ root: { drover: { image: '' } } }, ['/drover/image is empty']],
    [
      { root: { drover: { restartPolicy: 'onfailure' } } },
      ['/drover/restartPolicy must be one of `always`, `on-failure`, `never`; did you mean `on-failure`?'],
    ],
    [{ root: { drover: [] } }, ['/drover must be an object']],
    [
      { custom: { entrypoints: undefined, runtime: 'python3' } },
      [
        '/custom/config/runtime must be one of `python3.11`, `nodejs20`, `dotnet8`, `rust-stable`, `gcc13`, `cpp-gcc13`, `ghc96`, `scala3`; did you mean `python3.11`?',
        '/custom/config/entrypoints is missing',
      ],
    ],
  ])('%j: one short sentence for each field', (change, expected) => {
    expect(faults(bot(change))).toEqual(expected);
  });
  it('never show the words of a library, whatever the document holds', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(json, json, json, (a, b, c) => {
        const document = { ...referenceDocument('a'), custom: a, config: b, drover: c };
        const decoded = decodeBotDocument('a', document, DEFAULTS);
        expect(faults(decoded).join('\n')).not.toMatch(/Invalid input|expected|received|Too (small|big)|Unrecognized/);
      }),
    );
  });
});

describe('case A4: settings of drover itself', () => {
  it('in a file: a misspelt one names the nearest, not all of them', () => {
    const folder = mkdtempSync(join(tmpdir(), 'drover-keys-'));
    const file = join(folder, 'drover.yaml');
    try {
      writeFileSync(file, 'reconcile_intervall: 3s\n');
      expect(() => loadConfig({ env: {}, file })).toThrow(
        /^reconcile_intervall in .* is not a setting; did you mean reconcile_interval\?$/,
      );
      writeFileSync(file, 'zzzzzzzz: 3s\n');
      expect(() => loadConfig({ env: {}, file })).toThrow(/is not a setting; `drover config --explain` lists all/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
  it.each<[string, RegExp]>([
    ['localhost:8080', /`localhost:8080` has no scheme; write http:\/\/localhost:8080$/],
    ['10.0.0.1:8080', /has no scheme; write http:\/\/10\.0\.0\.1:8080$/],
    ['example.com', /has no scheme; write http:\/\/example\.com$/],
    ['ftp://example.com', /must begin with http:\/\/ or https:\/\/$/],
    ['', /is not an address/],
  ])('--url %s is refused with what to write', (url, message) => {
    expect(() => serverUrl(url)).toThrow(message);
  });
  it('--url with a scheme is taken', () => {
    expect(serverUrl('https://example.com/x').href).toBe('https://example.com/x');
  });
});

describe('case A3: `enabled`', () => {
  const NO = [false, 'false', 'False', 'no', 'No', 'off', 'OFF', 'n', '0', 0, 'disabled', ' no '];
  it.each(NO)('%j means no, at the root and in config', (no) => {
    expect(readEnabled({ enabled: no, config: {} }).enabled).toBe(false);
    expect(readEnabled({ config: { enabled: no } }).enabled).toBe(false);
    // Also where the rest is broken: who wants a stop gets it.
    expect(readEnabled({ enabled: no, config: 7 }).enabled).toBe(false);
    expect(readEnabled({ enabled: no, config: { enabled: true } }).enabled).toBe(false);
  });
  it('the words that the contract knows are no mistake in config; at the root the contract knows only true and false', () => {
    for (const no of ['false', '0', 0]) {
      expect(readEnabled({ config: { enabled: no } }).warnings).toEqual([]);
      expect(readEnabled({ enabled: no }).warnings).toEqual([
        { pointer: '/enabled', message: 'must be true or false' },
      ]);
    }
    expect(readEnabled({ config: { enabled: 'no' } }).warnings).toEqual([
      { pointer: '/config/enabled', message: 'must be true or false' },
    ]);
  });
  it.each(['maybe', 'nope', 2, -1, {}, [], '', 'falsch', [false]].map((word) => ({ word })))(
    '$word is unclear: refused, and neither yes nor no',
    ({ word }) => {
      for (const change of [{ root: { enabled: word } }, { config: { enabled: word } }]) {
        const decoded = bot(change);
        expect(decoded).toMatchObject({ kind: 'invalid', code: 'DOCUMENT_INVALID', enabled: undefined });
        expect(faults(decoded)).toEqual([`${'root' in change ? '' : '/config'}/enabled must be true or false`]);
      }
    },
  );
  it.each(['true', 'yes', 'on', 1, '1'])('%j is a yes that a person is told of', (word) => {
    expect(readEnabled({ config: { enabled: word } })).toMatchObject({ enabled: true, warnings: [{}], faults: [] });
  });
  it('holds for schedules', () => {
    expect(schedule({}, { enabled: 'off' })).toMatchObject({ kind: 'spec', enabled: false });
    expect(schedule({}, { enabled: 'who knows' })).toMatchObject({ kind: 'invalid', enabled: undefined });
  });
});
