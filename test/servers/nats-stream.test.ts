/** Wishes that a stream keeps: nothing lost, nothing out of order, nothing twice. */
import { describe, expect, it, vi } from 'vitest';
import {
  adminAt,
  busAt,
  consumeWith,
  consumerInfo,
  createCollector,
  makeStream,
  missingNats,
  ownNats,
  removeStream,
  send,
  closeAfterwards,
} from './nats-support.ts';
import { eventually } from '../support/eventually.ts';

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_none, index) => String(from + index));

describe.skipIf(missingNats !== undefined)(missingNats ?? 'NATS stream', async () => {
  if (missingNats !== undefined) return;
  const server = await ownNats();

  const withStream = async () => {
    const admin = await adminAt(server);
    await makeStream(admin);
    closeAfterwards(() => removeStream(admin));
    return admin;
  };

  it('hands over what waits as one batch, and catches up after a downtime of ours', async () => {
    const admin = await withStream();
    await send(admin, ...numbers(1, 200));
    const first = createCollector();
    const before = busAt(server.url);
    const consuming = consumeWith(before.bus, first);
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
    const { bus } = busAt(server.url);
    consumeWith(bus, second);
    await eventually(() => {
      expect(second.texts()).toEqual(numbers(202, 230));
    });
    expect(second.offered).toHaveLength(1);
    expect(bus.status()).toEqual({
      mode: 'stream',
      detail: `nats at 127.0.0.1:${String(server.port)}, stream THE0_EVENTS, consumer drover-i1`,
    });
  });

  it('says where and when the stream took a message, and leaves out what is no wish', async () => {
    const admin = await withStream();
    const jetstream = admin.jetstream();
    await jetstream.publish('the0.bot-schedule.created', 'not for us');
    await jetstream.publish('the0.bot.created', 'a');
    await jetstream.publish('the0.bot.deleted', 'b');
    const collector = createCollector();
    consumeWith(busAt(server.url).bus, collector);
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

  it('brings the same messages again until they are stored, and acknowledges only then', async () => {
    const admin = await withStream();
    await send(admin, '1', '2', '3');
    const collector = createCollector();
    collector.refuse = 2;
    const store = vi.spyOn(collector.consumer, 'onMessages');
    const { bus, lines } = busAt(server.url);
    consumeWith(bus, collector);
    await eventually(() => {
      expect(store).toHaveBeenCalledTimes(1);
    });
    await send(admin, '4');
    expect((await consumerInfo(admin, 'drover-i1')).ack_floor.stream_seq).toBe(0);
    await eventually(() => {
      expect(collector.texts()).toEqual(['1', '2', '3', '4']);
    });
    expect(collector.offered).toEqual([['1', '2', '3'], ['1', '2', '3'], ['1', '2', '3'], ['4']]);
    await eventually(async () => {
      expect((await consumerInfo(admin, 'drover-i1')).ack_floor.stream_seq).toBe(4);
    });
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('forgets nothing when it is stopped while a batch is refused', async () => {
    const admin = await withStream();
    await send(admin, '1', '2');
    const refusing = createCollector();
    refusing.refuse = Infinity;
    const { bus } = busAt(server.url);
    const consuming = consumeWith(bus, refusing);
    await eventually(() => {
      expect(refusing.offered.length).toBeGreaterThan(1);
    });
    await consuming.stop();
    await send(admin, '3');
    const next = createCollector(true);
    consumeWith(bus, next);
    await eventually(() => {
      expect(next.texts()).toEqual(['1', '2', '3']);
    });
  });

  it('starts at now on a store that holds bots, and says so; at the beginning on an empty one', async () => {
    const admin = await withStream();
    await send(admin, 'old');
    const holding = createCollector(true);
    const here = busAt(server.url, 'holding');
    consumeWith(here.bus, holding);
    const empty = createCollector(false);
    consumeWith(busAt(server.url, 'empty').bus, empty);
    await eventually(() => {
      expect(here.bus.status().mode).toBe('stream');
    });
    await send(admin, 'new');
    await eventually(() => {
      expect(holding.texts()).toEqual(['new']);
      expect(empty.texts()).toEqual(['old', 'new']);
    });
    const told = here.lines.filter(({ message }) => message === 'the stream is read from now on');
    expect(told).toHaveLength(1);
    expect(told[0]?.fields).toMatchObject({ stream: 'THE0_EVENTS', consumer: 'drover-holding' });
  });

  it('reads thousands in order, in few batches', async () => {
    const admin = await withStream();
    const jetstream = admin.jetstream();
    const collector = createCollector();
    const many = numbers(1, 3_000);
    for (let at = 0; at < 1_000; at += 100)
      await Promise.all(many.slice(at, at + 100).map((text) => jetstream.publish('the0.bot.updated', text)));
    consumeWith(busAt(server.url).bus, collector);
    for (let at = 1_000; at < 3_000; at += 100)
      await Promise.all(many.slice(at, at + 100).map((text) => jetstream.publish('the0.bot.updated', text)));
    await eventually(() => {
      expect(collector.taken).toHaveLength(3_000);
    });
    expect(collector.texts()).toEqual(many);
    expect(collector.taken.map(({ position }) => position?.sequence)).toEqual(many.map(Number));
  });
});
