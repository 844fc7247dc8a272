/** Wishes of bots and of schedules side by side: two readers of one stream, or of none, and neither holds up the other. */
import type { NatsConnection } from 'nats';
import { describe, expect } from 'vitest';
import { SCHEDULE_WISHES, type MessageBus } from '../../src/ports/message-bus.ts';
import {
  addressOf,
  consumerInfo,
  countLooks,
  createCollector,
  makeStream,
  NATS_URL,
  natsTest as it,
  noNats,
  noOwnNats,
  type Collector,
  type NatsTools,
} from './nats-support.ts';
import { LOOK_MS } from '../../src/adapters/nats/core-session.ts';
import { eventually } from '../support/eventually.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const BOTS = 'the0.bot.updated';
const SCHEDULES = 'the0.bot-schedule.updated';

const keep = async (admin: NatsConnection, subject: string, ...texts: readonly string[]): Promise<void> => {
  const jetstream = admin.jetstream();
  for (const text of texts) await jetstream.publish(subject, text);
};

const mode = (bus: MessageBus, wanted: string): Promise<void> =>
  eventually(() => {
    expect(bus.status().mode).toBe(wanted);
  });

const expectTexts = ({ texts }: Collector, wanted: readonly string[]): Promise<void> =>
  eventually(() => {
    expect(texts()).toEqual(wanted);
  });

/** Both kinds in one process, as drover reads them. */
const readBoth = (nats: NatsTools, bus: MessageBus, startsAtNow = false) => {
  const bots = createCollector(startsAtNow);
  const schedules = createCollector(startsAtNow, SCHEDULE_WISHES);
  const [ofBots, ofSchedules] = [nats.consume(bus, bots), nats.consume(bus, schedules)];
  return { bots, schedules, stop: () => Promise.all([ofBots.stop(), ofSchedules.stop()]) };
};

const missing = noNats ?? noOwnNats;

describe.skipIf(missing !== undefined)(missing ?? 'NATS, both kinds of wishes', () => {
  it('each reads its own of one stream, in order, through a record of its own', async ({ nats, stream: admin }) => {
    const { bus } = nats.bus(NATS_URL);
    const { bots, schedules } = readBoth(nats, bus);
    const numbers = Array.from({ length: 40 }, (_none, index) => String(index));
    for (const text of numbers) await keep(admin, Number(text) % 2 === 0 ? BOTS : SCHEDULES, text);
    await expectTexts(bots, numbers.filter((text) => Number(text) % 2 === 0)); // prettier-ignore
    await expectTexts(schedules, numbers.filter((text) => Number(text) % 2 === 1)); // prettier-ignore
    expect(schedules.taken.map(({ subject }) => subject)).toEqual(Array(20).fill(SCHEDULES));
    expect(schedules.taken.at(-1)?.position?.sequence).toBe(40);
    await eventually(async () => {
      expect((await consumerInfo(admin, 'drover-i1')).ack_floor.stream_seq).toBe(39);
      expect((await consumerInfo(admin, 'drover-i1-schedules')).ack_floor.stream_seq).toBe(40);
    });
    expect((await consumerInfo(admin, 'drover-i1-schedules')).config.filter_subject).toBe('the0.bot-schedule.*');
    expect(bus.status()).toEqual({
      mode: 'stream',
      detail:
        `nats at ${addressOf(NATS_URL)}, bots: stream THE0_EVENTS, consumer drover-i1; ` +
        'schedules: stream THE0_EVENTS, consumer drover-i1-schedules',
    });
  });

  it('a store that does not take one kind holds up nothing of the other', async ({ nats, stream: admin }) => {
    const { bots, schedules } = readBoth(nats, nats.bus(NATS_URL).bus);
    bots.refuse = Infinity;
    await keep(admin, BOTS, 'b1');
    await keep(admin, SCHEDULES, 's1', 's2');
    await expectTexts(schedules, ['s1', 's2']);
    expect(bots.texts()).toEqual([]);
    bots.refuse = 0;
    await expectTexts(bots, ['b1']);
  });

  it('catches up on both after a downtime of ours', async ({ nats, stream: admin }) => {
    const before = nats.bus(NATS_URL);
    const first = readBoth(nats, before.bus);
    await keep(admin, BOTS, 'b1');
    await keep(admin, SCHEDULES, 's1');
    await expectTexts(first.bots, ['b1']);
    await expectTexts(first.schedules, ['s1']);
    await first.stop();
    await before.bus.close();
    await keep(admin, SCHEDULES, 's2', 's3');
    await keep(admin, BOTS, 'b2');
    const second = readBoth(nats, nats.bus(NATS_URL).bus, true);
    await expectTexts(second.bots, ['b2']);
    await expectTexts(second.schedules, ['s2', 's3']);
    expect(second.schedules.offered).toHaveLength(1);
  });

  it('after an upgrade bots go on where they were, and schedules begin with what their store holds', async ({
    nats,
    stream: admin,
  }) => {
    await keep(admin, SCHEDULES, 's0');
    const before = nats.bus(NATS_URL);
    const onlyBots = createCollector();
    const consuming = nats.consume(before.bus, onlyBots);
    await keep(admin, BOTS, 'b1');
    await expectTexts(onlyBots, ['b1']);
    await consuming.stop();
    await before.bus.close();
    await keep(admin, BOTS, 'b2');
    const { bus, lines } = nats.bus(NATS_URL);
    const bots = createCollector(true);
    const schedules = createCollector(false, SCHEDULE_WISHES);
    nats.consume(bus, bots);
    nats.consume(bus, schedules);
    await expectTexts(bots, ['b2']);
    await expectTexts(schedules, ['s0']);
    expect(lines.some(({ message }) => message === 'consuming the stream')).toBe(false);
    // On a store that holds schedules already: from now on.
    const other = nats.bus(NATS_URL, { install: 'holding' });
    const holding = readBoth(nats, other.bus, true);
    await mode(other.bus, 'stream');
    await keep(admin, SCHEDULES, 's1');
    await expectTexts(holding.schedules, ['s1']);
    const told = other.lines.filter(({ message }) => message === 'consuming the stream');
    expect(told.map(({ fields }) => fields['consumer']).sort()).toEqual(['drover-holding', 'drover-holding-schedules']);
  });

  it('without a stream both are heard as they are sent, and go over to one that is made', async ({ nats, admin }) => {
    const looks = await countLooks(admin);
    const time = createVirtualClock(0);
    const { bus } = nats.bus(NATS_URL, { clock: time.clock });
    const { bots, schedules } = readBoth(nats, bus, true);
    await mode(bus, 'core');
    expect(bus.status().detail).toMatch(/, messages without a stream: there is no stream THE0_EVENTS$/);
    // Both have looked twice. What is taken after that is taken between two looks, and the next look is ours to call for.
    await expect.poll(looks).toBe(4);
    await eventually(async () => {
      admin.publish(BOTS, 'b');
      admin.publish(SCHEDULES, 's');
      await admin.flush();
      expect(new Set(bots.texts())).toEqual(new Set(['b']));
      expect(new Set(schedules.texts())).toEqual(new Set(['s']));
    });
    for (const { position } of schedules.taken) expect(position).toBeUndefined();
    await makeStream(admin);
    await keep(admin, SCHEDULES, 's1');
    await eventually(() => {
      expect(schedules.texts()).toContain('s1');
    });
    time.set(LOOK_MS);
    await mode(bus, 'stream');
    await keep(admin, SCHEDULES, 's2');
    await eventually(() => {
      expect(schedules.texts().filter((text) => text !== 's')).toEqual(['s1', 's2']);
    });
    expect(new Set(bots.texts())).toEqual(new Set(['b']));
  });

  it('on a server without JetStream both are heard as they are sent', async ({ nats, plain }) => {
    const admin = await nats.admin(plain.url);
    const { bus } = nats.bus(plain.url);
    const { bots, schedules } = readBoth(nats, bus);
    await mode(bus, 'core');
    expect(bus.status().detail).toMatch(/messages without a stream: JetStream is not enabled$/);
    await eventually(async () => {
      admin.publish('the0.bot-schedule.created', 's');
      await admin.flush();
      expect(schedules.texts()).toContain('s');
    });
    expect(bots.texts()).toEqual([]);
  });

  it('a stream that keeps bots alone is read for them; schedules are heard as they are sent until it keeps them too', async ({
    nats,
    admin,
  }) => {
    const { streams } = await admin.jetstreamManager();
    const info = await streams.add({ name: 'THE0_EVENTS', subjects: ['the0.bot.*'] });
    await keep(admin, BOTS, 'b1');
    const looks = await countLooks(admin);
    const time = createVirtualClock(0);
    const { bus } = nats.bus(NATS_URL, { clock: time.clock });
    const { bots, schedules } = readBoth(nats, bus);
    await expectTexts(bots, ['b1']);
    await mode(bus, 'core');
    expect(bus.status().detail).toMatch(
      /bots: stream THE0_EVENTS.*schedules: .*does not keep the0.bot-schedule.created/,
    );
    await expect.poll(looks).toBe(3);
    await eventually(async () => {
      admin.publish(SCHEDULES, 's');
      await admin.flush();
      expect(schedules.texts()).toContain('s');
    });
    await streams.update('THE0_EVENTS', { ...info.config, subjects: ['the0.bot.*', 'the0.bot-schedule.>'] });
    await keep(admin, SCHEDULES, 's1');
    await eventually(() => {
      expect(schedules.texts()).toContain('s1');
    });
    time.set(LOOK_MS);
    await mode(bus, 'stream');
    await keep(admin, SCHEDULES, 's2');
    await eventually(() => {
      expect(schedules.texts().filter((text) => text !== 's')).toEqual(['s1', 's2']);
    });
    expect(bots.texts()).toEqual(['b1']);
  });

  it('is off as long as one of them may not read, and says which', async ({ nats }) => {
    const closed = await nats.start({
      jetstream: false,
      config: `authorization { users = [
        { user: "someone", password: "p", permissions: { subscribe: { deny: "the0.bot-schedule.>" } } }
      ] }`,
      login: 'someone:p',
    });
    const { bus } = nats.bus(closed.url);
    readBoth(nats, bus);
    await mode(bus, 'off');
    await eventually(() => {
      expect(bus.status().detail).toMatch(
        /bots: messages without a stream.*schedules: .*Permissions Violation.*the0.bot-schedule/,
      );
    });
    expect(bus.status().mode).toBe('off');
  });
});
