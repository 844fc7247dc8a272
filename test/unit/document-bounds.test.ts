/** What a document may set of ours: within the operator's ceilings, and images of his list. */
import { describe, expect, it } from 'vitest';
import { defaultsOf } from '../../src/config-parts.ts';
import { loadConfig } from '../../src/config.ts';
import { decodeBotDocument } from '../../src/documents/bot-document.ts';
import { decodeScheduleDocument } from '../../src/documents/schedule-document.ts';
import { allowsImage, DEFAULT_BOUNDS } from '../../src/domain/spec-bounds.ts';
import { referenceDocument, referenceSchedule, type DocumentChange } from '../support/reference-document.ts';
import { DEFAULTS } from '../support/spec-defaults.ts';

const operator = (env: Readonly<Record<string, string>>) => defaultsOf(loadConfig({ env }));
const decoded = (change: DocumentChange, env: Readonly<Record<string, string>> = {}) =>
  decodeBotDocument('a', referenceDocument('a', change), operator(env));
const schedule = (drover: object, env: Readonly<Record<string, string>> = {}) =>
  decodeScheduleDocument('s', referenceSchedule('s', { schedule: '@daily', drover }), operator(env));

describe('case E7: the image of a document', () => {
  it.each<[string, DocumentChange, string]>([
    ['config', { config: { drover: { image: 'evil:1' } } }, '/config/drover/image'],
    ['the root', { root: { drover: { image: 'evil:1' } } }, '/drover/image'],
  ])('in %s is none but that of the operator, unless he allows it', (_where, change, pointer) => {
    expect(decoded(change)).toMatchObject({
      kind: 'invalid',
      code: 'IMAGE_NOT_ALLOWED',
      // A bot that runs goes on: who is refused is not stopped.
      enabled: true,
      pointers: [{ pointer, message: 'is not allowed: the operator allows drover-bot:latest (BOT_IMAGES_ALLOWED)' }],
    });
    expect(decoded(change, { BOT_IMAGES_ALLOWED: 'other:*, evil:*' })).toMatchObject({
      kind: 'spec',
      spec: { image: 'evil:1' },
    });
  });
  it('holds where nobody has read the settings', () => {
    const change = { config: { drover: { image: 'evil:1' } } };
    expect(decodeBotDocument('a', referenceDocument('a', change), DEFAULTS)).toMatchObject({
      code: 'IMAGE_NOT_ALLOWED',
    });
  });
  it('may be that of the operator, with its tag or without', () => {
    expect(decoded({ root: { drover: { image: 'drover-bot' } } })).toMatchObject({ kind: 'spec' });
    expect(decoded({ root: { drover: { image: 'mine:3' } } }, { RUNTIME_IMAGE: 'mine:3' })).toMatchObject({
      kind: 'spec',
    });
    expect(decoded({ root: { drover: { image: 'drover-bot' } } }, { RUNTIME_IMAGE: 'mine:3' })).toMatchObject({
      kind: 'invalid',
    });
  });
  it.each<[string, string, boolean]>([
    ['reg.example/bots/*', 'reg.example/bots/a:1', true],
    ['reg.example/bots/*', 'reg.example/bots/a@sha256:0f', true],
    ['reg.example/bots/*', 'reg.example/bots/a/b:1', false],
    ['reg.example/bots/*', 'reg.example.evil/bots/a:1', false],
    ['reg.example/bots/*', 'x/reg.example/bots/a:1', false],
    ['reg.example:5000/a', 'reg.example:5000/a', true],
    ['reg.example:5000/a', 'reg.example:5000/a:latest', true],
    ['reg.example:5000/a', 'reg.example:5000/a:2', false],
    ['drover-bot:*', 'drover-bot', true],
    ['drover-bot*', 'drover-bot.evil/x:1', false],
    ['reg.example/**', 'reg.example/a/b/c:1', true],
    ['**', 'anything/at/all', true],
    ['a.b:1', 'axb:1', false],
  ])('%s allows %s: %s', (pattern, image, allowed) => {
    expect(allowsImage({ ...DEFAULT_BOUNDS, images: [pattern] }, 'own:1', image)).toBe(allowed);
  });
});

describe('case E7: the limits of a document', () => {
  it.each<[string, number, number, string]>([
    ['memoryMb', 65_536, 1_048_576, 'BOT_MAX_MEMORY_MB'],
    ['cpuShares', 8_192, 262_144, 'BOT_MAX_CPU_SHARES'],
    ['pids', 4_096, 32_768, 'BOT_MAX_PIDS'],
    ['stopGraceSeconds', 600, 601, 'BOT_MAX_STOP'],
    ['stopHookSeconds', 600, 601, 'BOT_MAX_STOP'],
    ['finalSyncSeconds', 600, 601, 'BOT_MAX_STOP'],
  ])('%s may be %i and not %i, and the message names the setting', (field, most, more, setting) => {
    const env = { BOT_MAX_STOP: '10m' };
    expect(decoded({ config: { drover: { [field]: most } } }, env)).toMatchObject({ kind: 'spec' });
    const pointers = [{ pointer: `/config/drover/${field}`, message: `must be at most ${String(most)} (${setting})` }];
    expect(decoded({ config: { drover: { [field]: more } } }, env)).toMatchObject({ code: 'LIMIT_TOO_HIGH', pointers });
  });
  it('can be raised by the operator, and what he gives every bot himself is never too much', () => {
    const change = { root: { drover: { memoryMb: 100_000 } } };
    expect(decoded(change, { BOT_MAX_MEMORY_MB: '100000' })).toMatchObject({ kind: 'spec' });
    expect(decoded(change, { BOT_MEMORY_LIMIT_MB: '100000' })).toMatchObject({ kind: 'spec' });
    expect(decoded({}, { BOT_MEMORY_LIMIT_MB: '100000' })).toMatchObject({ spec: { limits: { memoryMb: 100_000 } } });
  });
  it('hold for the retries of a schedule', () => {
    expect(schedule({ retries: 5 }, { BOT_MAX_RETRIES: '5' })).toMatchObject({ spec: { policy: { retries: 5 } } });
    expect(schedule({ retries: 6 }, { BOT_MAX_RETRIES: '5' })).toMatchObject({
      code: 'LIMIT_TOO_HIGH',
      pointers: [{ pointer: '/config/drover/retries', message: 'must be at most 5 (BOT_MAX_RETRIES)' }],
    });
  });
  it('of the settings’ defaults are those of a document that is decoded without settings', () => {
    expect(operator({}).bounds).toEqual(DEFAULT_BOUNDS);
  });
});

describe('case E5: the delay between the tries of a run', () => {
  it.each([0, 0.001, 0.1])('of %f s is a tenth of a second', (retryFirstSeconds) => {
    expect(schedule({ retries: 100, retryFirstSeconds, retryMaxSeconds: 0 })).toMatchObject({
      spec: { policy: { retries: 100, retryFirstMs: 100 } },
    });
  });
});
