import { describe, expect, it } from 'vitest';
import type { Msg } from 'nats';
import { createBirths } from '../../src/adapters/nats/births.ts';
import { createCoreQueue } from '../../src/adapters/nats/core-queue.ts';
import { readDelivery } from '../../src/adapters/nats/delivery.ts';
import { leftOut } from '../../src/adapters/nats/find-stream.ts';
import { overAll, type Reading } from '../../src/adapters/nats/reading-status.ts';
import { parseServers } from '../../src/adapters/nats/server-list.ts';
import { transitionsSubject } from '../../src/domain/transitions-subject.ts';
import { BOT_WISHES, SCHEDULE_WISHES, type BusMode } from '../../src/ports/message-bus.ts';

describe('the subject of transitions', () => {
  it('is one token for any id', () => {
    expect(transitionsSubject('bot-1_A')).toBe('drover.bot.bot-1_A.transitions');
    expect(transitionsSubject('a.b c/é*>')).toBe('drover.bot.a_b_c____.transitions');
    expect(transitionsSubject('🤖')).toBe('drover.bot._.transitions');
    expect(transitionsSubject('')).toBe('drover.bot.unknown.transitions');
  });
});

describe('what a stream leaves out', () => {
  const wanted = SCHEDULE_WISHES.subjects;
  it.each([
    [[...BOT_WISHES.subjects, ...wanted], 0],
    [['the0.bot-schedule.*'], 0],
    [['the0.*.*'], 0],
    [['the0.>'], 0],
    [['>'], 0],
    [BOT_WISHES.subjects, 3],
    [['the0.bot.*'], 3],
    [['the0.*'], 3],
    [['the0.bot-schedule.created.>', 'the0.bot-schedule'], 3],
    [['the0.bot-schedule.created', 'the0.bot-schedule.updated'], 1],
    [[], 3],
  ])('%j: %d', (subjects, missing) => {
    expect(leftOut({ subjects: [...subjects] }, wanted)).toHaveLength(missing);
  });
  it('is not known where it takes from other streams', () => {
    expect(leftOut({ mirror: { name: 'OTHER' } }, wanted)).toEqual([]);
    expect(leftOut({ sources: [{ name: 'OTHER' }] }, wanted)).toEqual([]);
  });
});

describe('how messages come in over all readers', () => {
  const reading = (of: Reading['of'], mode: BusMode, detail: string = mode): Reading => ({
    of,
    status: { mode, detail },
  });
  it('is as of the only one, and off without any', () => {
    expect(overAll([])).toEqual({ mode: 'off', detail: 'no messages are read' });
    expect(overAll([reading('bots', 'stream', 'x')])).toEqual({ mode: 'stream', detail: 'x' });
  });
  it('is as of the one that is worst off, and says what each says', () => {
    expect(overAll([reading('bots', 'stream'), reading('schedules', 'core')])).toEqual({ mode: 'core', detail: 'bots: stream; schedules: core' }); // prettier-ignore
    expect(overAll([reading('bots', 'off'), reading('schedules', 'core')]).mode).toBe('off');
    expect(overAll([reading('bots', 'core'), reading('schedules', 'core')])).toEqual({ mode: 'core', detail: 'core' });
  });
});

describe('NATS servers of a URL', () => {
  it('are read with user, password, token, port and several at once', () => {
    expect(parseServers('localhost')).toEqual([
      { host: 'localhost', port: 4222, tls: false, address: 'localhost:4222' },
    ]);
    expect(parseServers('nats://u:p%40:x@a:1, tls://tok@[::1]:2/')).toEqual([
      { host: 'a', port: 1, tls: false, address: 'a:1', user: 'u', password: 'p@:x' },
      { host: '::1', port: 2, tls: true, address: '[::1]:2', token: 'tok' },
    ]);
  });
  it.each(['', 'http://a', 'nats://', 'nats://a:99999', 'nats://a/b', 'nats://a,', 'nats://u:se%cret@a'])(
    'refuses %j without repeating it',
    (url) => {
      expect(() => parseServers(url)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
      expect(() => parseServers(url)).not.toThrow(/se%cret|http/);
    },
  );
});

describe('what a message of a stream says of itself', () => {
  const read = (reply: string) => readDelivery({ reply } as Msg);
  it('is read from both forms', () => {
    const expected = { sequence: 7, delivery: 5, at: 1_700_000_000_000, pending: 3 };
    expect(read('$JS.ACK.S.c.1.7.5.1700000000000123456.3')).toEqual(expected);
    expect(read('$JS.ACK._.hash.S.c.1.7.5.1700000000000123456.3.rnd')).toEqual(expected);
    expect(read('_INBOX.x')).toBeUndefined();
    expect(read('$JS.ACK.S.c.1.x.5.1.3')).toBeUndefined();
  });
});

describe('what was heard and is not settled', () => {
  const message = (text: string) => ({ subject: 's', data: Buffer.from(text), at: 0 });
  const texts = (queue: ReturnType<typeof createCoreQueue>) =>
    queue.take().map(({ data }) => Buffer.from(data).toString());
  it('comes out in order, in batches', () => {
    const queue = createCoreQueue({ messages: 100, bytes: 100, batch: 2 });
    for (const text of ['a', 'b', 'c']) queue.push(message(text));
    expect([texts(queue), texts(queue), texts(queue)]).toEqual([['a', 'b'], ['c'], []]);
    expect(queue.dropped()).toBe(0);
  });
  it('loses its oldest when there are too many, or too large ones, and tells how many', () => {
    const queue = createCoreQueue({ messages: 3, bytes: 10, batch: 10 });
    for (const text of ['a', 'b', 'c', 'd', 'e']) queue.push(message(text));
    expect(queue.dropped()).toBe(2);
    queue.push(message('123456789'));
    expect(queue.dropped()).toBe(2);
    expect(texts(queue)).toEqual(['e', '123456789']);
    expect(queue.dropped()).toBe(0);
  });
});

describe('streams that came into being under our eyes', () => {
  const at = (ms: number) => new Date(ms).toISOString();
  const HOUR = 3_600_000;
  it('are those that a look did not find shortly before their birth', () => {
    let now = HOUR;
    const births = createBirths(() => now);
    expect(births.found(at(HOUR))).toBe(false);
    now += HOUR;
    births.absent();
    expect(births.found(at(HOUR + 1))).toBe(false);
    now += HOUR;
    expect(births.found(at(2 * HOUR + 1))).toBe(true);
    now += HOUR;
    // Asked again, because opening it failed: still.
    expect(births.found(at(2 * HOUR + 1))).toBe(true);
  });
});
