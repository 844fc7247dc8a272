/** Wishes that a stream keeps: nothing lost, nothing out of order, nothing twice. */
import { describe, expect } from 'vitest';
import { addressOf, consumerInfo, createCollector, NATS_URL, natsTest as it, noNats, send } from './nats-support.ts';
import { eventually } from '../support/eventually.ts';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_none, index) => String(from + index));

describe.skipIf(noNats !== undefined)(noNats ?? 'NATS stream', () => {
  it('hands over what waits as one batch, and catches up after a downtime of ours', async ({ nats, stream: admin }) => {
    await send(admin, ...numbers(1, 200));
    const first = createCollector();
    const before = nats.bus(NATS_URL);
    const consuming = nats.consume(before.bus, first);
    await eventually(() => {
      expect(first.texts()).toEqual(numbers(1, 200));
    });
    expect(first.offered).toHaveLength(1);
    await send(admin, '201');
    await eventually(() => {
      expect(first.texts()).toEqual(numbers(1, 201));
    });
    await consuming.stop();
    await before.bus.close();

    await send(admin, ...numbers(202, 230));
    const second = createCollector(true);
    const { bus } = nats.bus(NATS_URL);
    nats.consume(bus, second);
    await eventually(() => {
      expect(second.texts()).toEqual(numbers(202, 230));
    });
    expect(second.offered).toHaveLength(1);
    expect(bus.status()).toEqual({
      mode: 'stream',
      detail: `nats at ${addressOf(NATS_URL)}, stream THE0_EVENTS, consumer drover-i1`,
    });
  });

  it('says where and when the stream took a message, and leaves out what is no wish', async ({
    nats,
    stream: admin,
  }) => {
    const jetstream = admin.jetstream();
    await jetstream.publish('the0.bot-schedule.created', 'not for us');
    await jetstream.publish('the0.bot.created', 'a');
    await jetstream.publish('the0.bot.deleted', 'b');
    const collector = createCollector();
    nats.consume(nats.bus(NATS_URL).bus, collector);
    await eventually(() => {
      expect(collector.texts()).toEqual(['a', 'b']);
    });
    const { created } = await (await admin.jetstreamManager()).streams.info('THE0_EVENTS').then((info) => info);
    const stream = `THE0_EVENTS@${created}`;
    expect(collector.taken.map(({ subject, position }) => ({ subject, position }))).toEqual([
      { subject: 'the0.bot.created', position: { stream, sequence: 2 } },
      { subject: 'the0.bot.deleted', position: { stream, sequence: 3 } },
    ]);
    for (const { at } of collector.taken) expect(Math.abs(Date.now() - at)).toBeLessThan(60_000);
  });

  it('brings the same messages again until they are stored, and acknowledges only then', async ({
    nats,
    stream: admin,
  }) => {
    await send(admin, '1', '2', '3');
    const collector = createCollector();
    collector.refuse = Infinity;
    const { bus, lines } = nats.bus(NATS_URL);
    nats.consume(bus, collector);
    await eventually(() => {
      expect(collector.offered.length).toBeGreaterThan(1);
    });
    await send(admin, '4');
    expect((await consumerInfo(admin, 'drover-i1')).ack_floor.stream_seq).toBe(0);
    collector.refuse = 0;
    await eventually(() => {
      expect(collector.texts()).toEqual(['1', '2', '3', '4']);
    });
    expect(collector.offered.at(-1)).toEqual(['4']);
    for (const batch of collector.offered.slice(0, -1)) expect(batch).toEqual(['1', '2', '3']);
    await eventually(async () => {
      expect((await consumerInfo(admin, 'drover-i1')).ack_floor.stream_seq).toBe(4);
    });
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('forgets nothing when it is stopped while a batch is refused', async ({ nats, stream: admin }) => {
    await send(admin, '1', '2');
    const refusing = createCollector();
    refusing.refuse = Infinity;
    const { bus } = nats.bus(NATS_URL);
    const consuming = nats.consume(bus, refusing);
    await eventually(() => {
      expect(refusing.offered.length).toBeGreaterThan(1);
    });
    await consuming.stop();
    await send(admin, '3');
    const next = createCollector(true);
    nats.consume(bus, next);
    await eventually(() => {
      expect(next.texts()).toEqual(['1', '2', '3']);
    });
  });

  it('starts at now on a store that holds bots, and says so; at the beginning on an empty one', async ({
    nats,
    stream: admin,
  }) => {
    await send(admin, 'old');
    const holding = createCollector(true);
    const here = nats.bus(NATS_URL, { install: 'holding' });
    nats.consume(here.bus, holding);
    const empty = createCollector(false);
    nats.consume(nats.bus(NATS_URL, { install: 'empty' }).bus, empty);
    await eventually(() => {
      expect(here.bus.status().mode).toBe('stream');
    });
    await send(admin, 'new');
    await eventually(() => {
      expect(holding.texts()).toEqual(['new']);
      expect(empty.texts()).toEqual(['old', 'new']);
    });
    const told = here.lines.filter(({ message }) => message === 'consuming the stream');
    expect(told).toHaveLength(1);
    expect(told[0]?.fields).toMatchObject({ stream: 'THE0_EVENTS', consumer: 'drover-holding' });
  });

  it('reads thousands in order, in few batches', async ({ nats, stream: admin }) => {
    const jetstream = admin.jetstream();
    const collector = createCollector();
    const many = numbers(1, 3_000);
    for (let at = 0; at < 1_000; at += 100)
      await Promise.all(many.slice(at, at + 100).map((text) => jetstream.publish('the0.bot.updated', text)));
    nats.consume(nats.bus(NATS_URL).bus, collector);
    for (let at = 1_000; at < 3_000; at += 100)
      await Promise.all(many.slice(at, at + 100).map((text) => jetstream.publish('the0.bot.updated', text)));
    await eventually(() => {
      expect(collector.taken).toHaveLength(3_000);
    });
    expect(collector.texts()).toEqual(many);
    expect(collector.taken.map(({ position }) => position?.sequence)).toEqual(many.map(Number));
  });
});
