/** Messages as they are sent, where no stream keeps them, and the way from there to a stream. */
import { describe, expect } from 'vitest';
import type { NatsConnection } from 'nats';
import type { BusMessage, MessageBus } from '../../src/ports/message-bus.ts';
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
  send,
  type Collector,
} from './nats-support.ts';
import { removeStream } from '../support/test-stream.ts';
import { LOOK_MS } from '../../src/adapters/nats/core-session.ts';
import { eventually } from '../support/eventually.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

const publishPlain = async (admin: NatsConnection, ...texts: readonly string[]): Promise<void> => {
  for (const text of texts) admin.publish('the0.bot.updated', text);
  await admin.flush();
};

const mode = (bus: MessageBus, wanted: string): Promise<void> =>
  eventually(() => {
    expect(bus.status().mode).toBe(wanted);
  });

/** Subscribed for sure: a message of ours came through. More of them may still be on their way. */
const hears = async (admin: NatsConnection, { texts }: Collector): Promise<void> => {
  await eventually(async () => {
    await publishPlain(admin, 'hello');
    expect(texts()).toContain('hello');
  });
};

const wishesOf = ({ taken }: Collector): readonly BusMessage[] =>
  taken.filter(({ data }) => Buffer.from(data).toString() !== 'hello');
const textsOf = (collector: Collector): readonly string[] => collector.texts().filter((text) => text !== 'hello');

const missing = noNats ?? noOwnNats;

describe.skipIf(missing !== undefined)(missing ?? 'NATS without a stream', () => {
  it('takes messages in order of arrival, without a place in a stream; a batch that is refused comes again', async ({
    nats,
    plain,
  }) => {
    const admin = await nats.admin(plain.url);
    const { bus, lines } = nats.bus(plain.url);
    const collector = createCollector(true);
    nats.consume(bus, collector);
    await hears(admin, collector);
    expect(bus.status()).toEqual({
      mode: 'core',
      detail: `nats at ${addressOf(plain.url)}, messages without a stream: JetStream is not enabled`,
    });
    collector.refuse = 3;
    await publishPlain(admin, '1', '2');
    await publishPlain(admin, '3');
    admin.publish('the0.bot.logs.x', 'not a wish');
    await eventually(() => {
      expect(textsOf(collector)).toEqual(['1', '2', '3']);
    });
    for (const { position, at } of collector.taken) {
      expect(position).toBeUndefined();
      expect(Math.abs(Date.now() - at)).toBeLessThan(60_000);
    }
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('goes over to a stream that is made later, losing and repeating nothing', async ({ nats, admin }) => {
    const looks = await countLooks(admin);
    const time = createVirtualClock(0);
    const { bus } = nats.bus(NATS_URL, { clock: time.clock });
    const collector = createCollector(true);
    nats.consume(bus, collector);
    await expect.poll(looks).toBe(2);
    // Messages are taken between two looks: after this one there is none under way, and the next is ours to call for.
    await hears(admin, collector);
    expect(bus.status().detail).toContain('no stream THE0_EVENTS');
    await makeStream(admin);
    await send(admin, '1', '2', '3');
    await eventually(() => {
      expect(textsOf(collector)).toEqual(['1', '2', '3']);
    });
    time.set(LOOK_MS);
    await mode(bus, 'stream');
    await send(admin, '4', '5');
    await eventually(() => {
      expect(textsOf(collector)).toEqual(['1', '2', '3', '4', '5']);
    });
    expect(wishesOf(collector).map(({ position }) => position?.sequence)).toEqual([
      undefined,
      undefined,
      undefined,
      4,
      5,
    ]);
  });

  it('loses nothing that is sent while it goes over', async ({ nats, admin }) => {
    const { bus } = nats.bus(NATS_URL);
    const collector = createCollector(true);
    nats.consume(bus, collector);
    await hears(admin, collector);
    await makeStream(admin);
    let sent = 0;
    while (bus.status().mode !== 'stream') await send(admin, String((sent += 1)));
    await send(admin, 'last');
    await eventually(() => {
      expect(collector.texts()).toContain('last');
    });
    const got = new Set(collector.texts());
    const missing = Array.from({ length: sent }, (_none, index) => String(index + 1)).filter((text) => !got.has(text));
    expect(sent).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  it('goes back to messages as they are sent when the stream is removed', async ({ nats, stream: admin }) => {
    const { bus } = nats.bus(NATS_URL);
    const collector = createCollector();
    nats.consume(bus, collector);
    await mode(bus, 'stream');
    await removeStream(admin);
    await mode(bus, 'core');
    await hears(admin, collector);
  });

  it('two installs read the same stream independently', async ({ nats, stream: admin }) => {
    const collectors = ['a', 'b'].map((install) => {
      const collector = createCollector();
      nats.consume(nats.bus(NATS_URL, { install }).bus, collector);
      return collector;
    });
    await send(admin, '1');
    for (const collector of collectors)
      await eventually(() => {
        expect(collector.texts()).toEqual(['1']);
      });
    expect((await consumerInfo(admin, 'drover-a')).name).toBe('drover-a');
  });
});
