/** Messages of scheduled bots (contract §2.1, §3): sent directly, times that are times, a schedule. Nothing else (fault R1). */
import { describe, expect, it } from 'vitest';
import { decodeBotMessage } from '../../src/documents/bot-message.ts';
import { decodeScheduleMessage, type ScheduleWishSubject } from '../../src/documents/schedule-message.ts';
import { malformedMessages } from '../support/malformed-messages.ts';
import { referenceDocument } from '../support/reference-document.ts';

const CREATED: ScheduleWishSubject = 'the0.bot-schedule.created';
const UPDATED: ScheduleWishSubject = 'the0.bot-schedule.updated';
const DELETED: ScheduleWishSubject = 'the0.bot-schedule.deleted';
const sent = referenceDocument('a', {
  config: { type: 'scheduled/a', schedule: '0 9 * * 1-5', customBotId: 'c', pair: 'BTC' },
  custom: { type: 'scheduled', schema: { bot: {} }, hasFrontend: true },
});
const { config, custom } = sent as { config: Record<string, unknown>; custom: Record<string, unknown> };

const bytes = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const decode = (value: unknown, subject: ScheduleWishSubject = CREATED) => decodeScheduleMessage(subject, bytes(value));
const reason = (value: unknown, subject: ScheduleWishSubject = CREATED): string => {
  const decoded = decode(value, subject);
  return decoded.kind === 'malformed' ? decoded.reason : `not refused: ${JSON.stringify(decoded)}`;
};
const withTimes = (times: object) => ({ id: 'a', config, custom: { ...custom, ...times } });
const withSchedule = (schedule: unknown) => ({ id: 'a', config: { ...config, schedule }, custom });

describe('messages of schedules', () => {
  it('are taken as the API sends them', () => {
    expect(decode(sent)).toEqual({ kind: 'created', id: 'a', content: { config, custom } });
    expect(decode({ ...sent, future: true }, UPDATED)).toEqual({
      kind: 'updated',
      id: 'a',
      content: { config, custom },
    });
    expect(decode({ id: 'a', config }, DELETED)).toEqual({ kind: 'deleted', id: 'a' });
    expect(decode({ id: 'a' }, DELETED)).toEqual({ kind: 'deleted', id: 'a' });
  });
  it('are not taken wrapped', () => {
    const wrapped = { type: 't', entity_id: 'a', data: { id: 'a', config, custom }, timestamp: 'now' };
    for (const subject of [CREATED, UPDATED, DELETED]) {
      expect(reason(wrapped, subject)).toMatch(/\/id: must be a string/);
      expect(reason({ ...wrapped, id: '' }, subject)).toMatch(/\/id/);
    }
    expect(decodeBotMessage('the0.bot.created', bytes(wrapped)).kind).toBe('created');
  });
  it.each(['createdAt', 'updatedAt'])('must have an RFC 3339 time as %s, when they have one at all', (field) => {
    for (const time of ['2024-01-01T00:00:00.123456789+02:00', '2024-01-01t00:00:00z', null, undefined])
      expect(decode(withTimes({ [field]: time })).kind).toBe('created');
    for (const time of ['yesterday', '2024-01-01', '2024-01-01T00:00:00', '2024-13-01T00:00:00Z', 1_704_067_200, {}]) {
      expect(reason(withTimes({ [field]: time }))).toMatch(/RFC 3339/);
      expect(reason(withTimes({ [field]: time }), UPDATED)).toMatch(/RFC 3339/);
      expect(reason({ id: 'a', custom: { [field]: time } }, DELETED)).toMatch(/RFC 3339/);
    }
  });
  it('must have a schedule', () => {
    for (const text of [
      '* * * * *',
      '0 0 9 * * 1',
      '@hourly',
      '@every 5m',
      'TZ=Europe/Berlin 0 9 * * *',
      '*/90 * * * *',
    ])
      expect(decode(withSchedule(text)).kind).toBe('created');
    for (const none of [undefined, null, '', ' ', 7, true, [], {}]) {
      expect(reason(withSchedule(none))).toMatch(/\/config\/schedule: (must be a string|the expression is empty)/);
      expect(reason(withSchedule(none), UPDATED)).toMatch(/\/config\/schedule: /);
      expect(decode(withSchedule(none), DELETED).kind).toBe('deleted');
    }
  });
  it.each([
    ['61 * * * *', /above 59/],
    ['* * * * 7', /Sunday is 0/],
    ['* * *', /has 3 fields/],
    ['no cron', /has 2 fields/],
    ['TZ=Mars/Base 0 9 * * *', /not an IANA time zone/],
  ])('case F4: with the text %s are refused as on the reference, and a deletion is not', (text, why) => {
    for (const subject of [CREATED, UPDATED]) {
      expect(reason(withSchedule(text), subject)).toMatch(/^\/config\/schedule: /);
      expect(reason(withSchedule(text), subject)).toMatch(why);
    }
    expect(decode(withSchedule(text), DELETED).kind).toBe('deleted');
  });
  it.each([
    ['', /empty/],
    ['{', /not JSON/],
    ['null', /not an object/],
    ['[]', /not an object/],
    [{}, /\/id/],
    [{ ...sent, id: 7 }, /\/id: must be a string/],
    [{ ...sent, id: 'a/b' }, /\/id: the id contains a path separator/],
    [{ id: 'a' }, /\/config: must be an object/],
    [{ id: 'a', config }, /\/custom/],
    [{ id: 'a', config: [], custom }, /\/config/],
    [{ id: 'a', config: '* * * * *', custom }, /\/config/],
    [{ id: 'a', config, custom: 'x' }, /\/custom/],
    [{ id: 'a', config, custom: { version: 3 } }, /\/custom\/version/],
    [{ id: 'a', config, custom: { config: { entrypoints: { bot: 1 } } } }, /entrypoints\/bot/],
    ['{"id":"a","config":{"schedule":"@daily","__proto__":{"x":1}},"custom":{}}', /__proto__/],
    [`{"id":"a","config":${'{"a":'.repeat(100)}1${'}'.repeat(100)},"custom":{}}`, /deep/],
    [withSchedule('y'.repeat(3_000_000)), /larger/],
  ])('are refused with the reason: %.60j', (value, expected) => {
    expect(reason(value)).toMatch(expected);
  });
  it('are refused where those of bots are', () => {
    for (const { kind, data } of malformedMessages(200))
      expect(decodeScheduleMessage(`the0.bot-schedule.${kind}`, data).kind).toBe('malformed');
  });
});
