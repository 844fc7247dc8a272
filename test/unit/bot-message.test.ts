/** Messages of contract §2.1: both shapes, what is refused, and that nothing makes the decoder throw (fault R1). */
import { describe, expect, it } from 'vitest';
import { decodeBotMessage, type WishSubject } from '../../src/documents/bot-message.ts';

const CREATED: WishSubject = 'the0.bot.created';
const content = {
  config: { name: 'n', type: 'realtime/n', version: '1.0.0', customBotId: 'c', pair: 'BTC' },
  custom: {
    version: '1.0.0',
    filePath: 'u/n/1.0.0',
    createdAt: '2024-01-01T00:00:00Z',
    updatedAt: '2024-01-01T00:00:00.123456789+02:00',
    config: { name: 'n', runtime: 'nodejs20', entrypoints: { bot: 'main.js' }, schema: {}, hasFrontend: true },
  },
};
const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const decode = (value: unknown, subject: WishSubject = CREATED) => decodeBotMessage(subject, bytes(value));
const reason = (value: unknown, subject: WishSubject = CREATED): string => {
  const decoded = decode(value, subject);
  return decoded.kind === 'malformed' ? decoded.reason : `not refused: ${JSON.stringify(decoded)}`;
};

describe('messages', () => {
  it('are taken directly, as the API sends them', () => {
    expect(decode({ id: 'a', ...content })).toEqual({ kind: 'created', id: 'a', content });
    expect(decode({ id: 'a', ...content }, 'the0.bot.updated')).toEqual({ kind: 'updated', id: 'a', content });
    expect(decode({ id: 'a', config: {} }, 'the0.bot.deleted')).toEqual({ kind: 'deleted', id: 'a' });
    expect(decode({ id: 'a' }, 'the0.bot.deleted')).toEqual({ kind: 'deleted', id: 'a' });
  });
  it('are taken wrapped when the direct id is empty', () => {
    const wrapped = { type: 't', entity_id: 'x', data: { id: 'a', topicName: 't', ...content }, timestamp: 'now' };
    expect(decode(wrapped)).toEqual({ kind: 'created', id: 'a', content });
    expect(decode({ ...wrapped, id: '' })).toEqual({ kind: 'created', id: 'a', content });
    expect(decode({ ...wrapped, id: 'b', ...content })).toMatchObject({ id: 'b' });
    expect(decode({ type: 't', data: { id: 'a' } }, 'the0.bot.deleted')).toEqual({ kind: 'deleted', id: 'a' });
  });
  it('keep what nobody knows, and ignore it', () => {
    const more = { ...content, config: { ...content.config, nested: { deep: [1, null, 'ü'] } } };
    expect(decode({ id: 'a', ...more, future: true })).toEqual({ kind: 'created', id: 'a', content: more });
  });
  it('must have RFC 3339 times, but only in the wrapped form', () => {
    const odd = { ...content, custom: { ...content.custom, createdAt: 'yesterday' } };
    expect(decode({ id: 'a', ...odd }).kind).toBe('created');
    expect(reason({ data: { id: 'a', ...odd } })).toMatch(/RFC 3339/);
    expect(reason({ data: { id: 'a', ...odd } }, 'the0.bot.updated')).toMatch(/RFC 3339/);
    expect(decode({ data: { id: 'a', ...content, custom: { version: '1' } } }).kind).toBe('created');
  });
  it.each([
    ['', /empty/],
    ['{', /not JSON/],
    ['null', /not an object/],
    ['[]', /not an object/],
    ['"x"', /not an object/],
    [{}, /\/id/],
    [{ id: 7 }, /\/id: must be a string/],
    [{ id: 'a/b', ...content }, /\/id: the id contains a path separator/],
    [{ id: 'a' }, /\/config: must be an object/],
    [{ id: 'a', config: {} }, /\/custom/],
    [{ id: 'a', config: [], custom: {} }, /\/config: must be an object/],
    [{ id: 'a', config: {}, custom: 'x' }, /\/custom/],
    [{ id: 'a', config: {}, custom: { version: 3 } }, /\/custom\/version/],
    [{ id: 'a', config: {}, custom: { config: { entrypoints: { bot: 1 } } } }, /entrypoints\/bot/],
    [{ data: [] }, /\/data: must be an object/],
    [{ data: { id: 5 } }, /\/data\/id/],
    ['{"id":"a","config":{"__proto__":{"x":1}},"custom":{}}', /__proto__/],
    [`{"id":"a","config":${'{"a":'.repeat(100)}1${'}'.repeat(100)},"custom":{}}`, /deep/],
    ['['.repeat(200_000), /not JSON|deep/],
    [`{"id":"a","config":{"x":"${'y'.repeat(3_000_000)}"},"custom":{}}`, /larger/],
  ])('are refused with the reason: %.60j', (value, expected) => {
    expect(reason(value)).toMatch(expected);
  });
  it('are refused when they are not UTF-8', () => {
    const decoded = decodeBotMessage(CREATED, new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]));
    expect(decoded).toEqual({ kind: 'malformed', reason: 'not UTF-8' });
  });
});
