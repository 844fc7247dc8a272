/** The record of how far we are: it outlives processes, and survives what others do to it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { AckPolicy, createInbox, DeliverPolicy, type NatsConnection } from 'nats';
import { describe, expect } from 'vitest';
import {
  consumerInfo,
  createCollector,
  makeStream,
  NATS_URL,
  natsTest as it,
  noNats,
  send,
  type Collector,
} from './nats-support.ts';
import { removeStream } from '../support/test-stream.ts';
import { childProgram } from '../support/child-program.ts';
import { eventually } from '../support/eventually.ts';

describe.skipIf(noNats !== undefined)(noNats ?? 'NATS durable consumer', () => {
  const expectTexts = (collector: Collector, texts: readonly string[]): Promise<void> =>
    eventually(() => {
      expect(collector.texts()).toEqual(texts);
    });

  /** Somebody else asks for the next message of our consumer and keeps it. */
  const steal = async (admin: NatsConnection): Promise<void> => {
    const inbox = createInbox();
    admin.subscribe(inbox, { callback: () => undefined });
    const ask = JSON.stringify({ batch: 1, expires: 20_000_000_000 });
    admin.publish('$JS.API.CONSUMER.MSG.NEXT.THE0_EVENTS.drover-i1', ask, { reply: inbox });
    await admin.flush();
  };

  it('another process goes on at once when one is killed with messages in its hands', async ({
    nats,
    stream: admin,
  }) => {
    await send(admin, '1', '2', '3');
    const child = spawn(process.execPath, [childProgram(new URL('nats-hold.ts', import.meta.url).pathname), NATS_URL], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    nats.later(() => Promise.resolve(child.kill('SIGKILL')));
    const [heard] = (await once(child.stdout, 'data')) as [Buffer];
    expect(heard.toString()).toBe('1 2 3\n');
    await send(admin, '4');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const collector = createCollector(true);
    nats.consume(nats.bus(NATS_URL).bus, collector);
    await expectTexts(collector, ['1', '2', '3', '4']);
  });

  it('loses nothing to one that still asks when the next one takes over', async ({ nats, stream: admin }) => {
    const first = createCollector();
    const consuming = nats.consume(nats.bus(NATS_URL).bus, first);
    await send(admin, '1');
    await expectTexts(first, ['1']);
    await consuming.stop();
    await steal(admin);
    const second = createCollector(true);
    const { bus } = nats.bus(NATS_URL);
    nats.consume(bus, second);
    await eventually(() => {
      expect(bus.status().mode).toBe('stream');
    });
    await send(admin, '2', '3', '4');
    await expectTexts(second, ['2', '3', '4']);
  });

  it('notices that another one got a message, and reads on from before it', async ({ nats, stream: admin }) => {
    const collector = createCollector();
    const { bus, lines } = nats.bus(NATS_URL);
    nats.consume(bus, collector);
    await send(admin, '1');
    await expectTexts(collector, ['1']);
    // One of the next messages goes there, whoever asked first.
    await steal(admin);
    await send(admin, '2', '3', '4', '5');
    await expectTexts(collector, ['1', '2', '3', '4', '5']);
    expect(lines.some(({ message }) => message === 'consuming messages again')).toBe(true);
  });

  it('two at once: each message reaches somebody, in order', async ({ nats, stream: admin }) => {
    const [first, second] = [createCollector(), createCollector()];
    nats.consume(nats.bus(NATS_URL).bus, first);
    nats.consume(nats.bus(NATS_URL).bus, second);
    const texts = Array.from({ length: 50 }, (_none, index) => String(index));
    for (const text of texts) await send(admin, text);
    await eventually(() => {
      expect(new Set([...first.texts(), ...second.texts()])).toEqual(new Set(texts));
    });
    for (const { taken } of [first, second]) {
      const sequences = taken.map(({ position }) => position?.sequence ?? 0);
      expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
      expect(new Set(sequences).size).toBe(sequences.length);
    }
  });

  it('goes on where it was when the consumer is deleted under it', async ({ nats, stream: admin }) => {
    const jetstream = await admin.jetstreamManager();
    const collector = createCollector(true);
    const { bus } = nats.bus(NATS_URL);
    nats.consume(bus, collector);
    await eventually(() => {
      expect(bus.status().mode).toBe('stream');
    });
    await send(admin, '1');
    await expectTexts(collector, ['1']);
    await jetstream.consumers.delete('THE0_EVENTS', 'drover-i1');
    await send(admin, '2', '3');
    await expectTexts(collector, ['1', '2', '3']);
  });

  it('finds its place from the note of one that died while it made the consumer anew', async ({
    nats,
    stream: admin,
  }) => {
    await send(admin, '1', '2', '3');
    const first = createCollector();
    const consuming = nats.consume(nats.bus(NATS_URL).bus, first);
    await expectTexts(first, ['1', '2', '3']);
    await consuming.stop();
    const jetstream = await admin.jetstreamManager();
    const { config } = await consumerInfo(admin, 'drover-i1');
    await jetstream.consumers.add('THE0_EVENTS', {
      ...config,
      name: 'drover-i1-place',
      durable_name: 'drover-i1-place',
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: 3,
    });
    await jetstream.consumers.delete('THE0_EVENTS', 'drover-i1');
    const second = createCollector(true);
    nats.consume(nats.bus(NATS_URL).bus, second);
    await expectTexts(second, ['3']);
    await expect(consumerInfo(admin, 'drover-i1-place')).rejects.toThrow('consumer not found');
  });

  it('takes over a consumer of its name that somebody made by hand, at its place', async ({ nats, stream: admin }) => {
    await send(admin, '1', '2');
    const jetstream = await admin.jetstreamManager();
    await jetstream.consumers.add('THE0_EVENTS', { durable_name: 'drover-i1', ack_policy: AckPolicy.Explicit });
    const collector = createCollector(true);
    nats.consume(nats.bus(NATS_URL).bus, collector);
    await expectTexts(collector, ['1', '2']);
    expect((await consumerInfo(admin, 'drover-i1')).config).toMatchObject({ ack_policy: 'all' });
  });

  it('a stream that is made anew is another one, read from its beginning', async ({ nats, stream: admin }) => {
    const collector = createCollector(true);
    const { bus, lines } = nats.bus(NATS_URL);
    nats.consume(bus, collector);
    await eventually(() => {
      expect(bus.status().mode).toBe('stream');
    });
    await send(admin, 'a');
    await expectTexts(collector, ['a']);
    await removeStream(admin);
    await makeStream(admin);
    await send(admin, 'b', 'c');
    await expectTexts(collector, ['a', 'b', 'c']);
    expect(lines.filter(({ message }) => message === 'the stream was recreated')).toHaveLength(1);
    const [a, b, c] = collector.taken.map(({ position }) => position);
    expect(b?.stream).not.toBe(a?.stream);
    expect([a?.sequence, b?.sequence, c]).toEqual([1, 1, { stream: b?.stream, sequence: 2 }]);
  });
});
