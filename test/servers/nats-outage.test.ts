/** A server that comes late, dies, freezes and comes back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { MessageBus } from '../../src/ports/message-bus.ts';
import {
  adminAt,
  busAt,
  closeAfterwards,
  consumeWith,
  createCollector,
  makeStream,
  missingNats,
  ownNats,
  removeStream,
  send,
} from './nats-support.ts';
import { eventually } from '../support/eventually.ts';

const mode = (bus: MessageBus, wanted: string): Promise<void> =>
  eventually(() => {
    expect(bus.status().mode).toBe(wanted);
  });

describe.skipIf(missingNats !== undefined)(missingNats ?? 'NATS outages', () => {
  it('is there soon once the server comes, and tells until then why not', async () => {
    const server = await ownNats({ started: false });
    const { bus, lines } = busAt(server.url.replace('//', '//drover:hidden-word@'));
    const collector = createCollector(true);
    consumeWith(bus, collector);
    await eventually(() => {
      expect(bus.status().detail).toContain('not connected: 127.0.0.1');
    });
    expect(bus.status().mode).toBe('off');
    bus.publish('drover.bot.x.transitions', 'nobody hears this');
    await sleep(2_000);
    await server.start();
    const began = Date.now();
    await mode(bus, 'core');
    expect(Date.now() - began).toBeLessThan(15_000);
    expect(lines.filter(({ message }) => message === 'NATS not reachable')).toHaveLength(1);
    expect(JSON.stringify([lines, bus.status()])).not.toContain('hidden-word');
  });

  it('a server that is killed midway and started again brings everything, in order', async () => {
    const server = await ownNats();
    const before = await adminAt(server);
    await makeStream(before);
    const { bus } = busAt(server.url);
    const collector = createCollector();
    consumeWith(bus, collector);
    await send(before, '1', '2');
    await eventually(() => {
      expect(collector.texts()).toEqual(['1', '2']);
    });
    collector.refuse = 5;
    await send(before, '3');
    await eventually(() => {
      expect(collector.offered.at(-1)).toEqual(['3']);
    });
    await send(before, '4', '5');
    await server.kill('SIGKILL');
    await mode(bus, 'off');
    expect(bus.status().detail).toContain('reconnecting since 20');
    bus.publish('drover.bot.x.transitions', 'dropped');
    await expect(send(before, 'lost')).rejects.toThrow();
    await server.start();
    const after = await adminAt(server);
    await send(after, '6');
    await eventually(() => {
      expect(collector.texts()).toEqual(['1', '2', '3', '4', '5', '6']);
    });
  });

  it('notices a frozen server within 15 s, and goes on when it wakes', async () => {
    const server = await ownNats();
    const admin = await adminAt(server);
    await makeStream(admin);
    closeAfterwards(async () => removeStream(await adminAt(server)));
    const { bus } = busAt(server.url);
    const collector = createCollector();
    consumeWith(bus, collector);
    await send(admin, '1');
    await eventually(() => {
      expect(collector.texts()).toEqual(['1']);
    });
    const before = process.getActiveResourcesInfo().length;
    server.freeze();
    const began = Date.now();
    await eventually(() => {
      expect(bus.status().detail).toContain('reconnecting since');
    });
    expect(Date.now() - began).toBeLessThan(15_000);
    await sleep(Math.max(0, 20_000 - (Date.now() - began)));
    // No socket of a try that came to nothing stays open.
    expect(process.getActiveResourcesInfo().length).toBeLessThan(before + 5);
    server.thaw();
    await mode(bus, 'stream');
    await send(await adminAt(server), '2');
    await eventually(() => {
      expect(collector.texts()).toEqual(['1', '2']);
    });
  });

  it('reads a stream from its beginning that was made while the connection was away', async () => {
    const server = await ownNats();
    const { bus } = busAt(server.url);
    const collector = createCollector(true);
    consumeWith(bus, collector);
    await mode(bus, 'core');
    await server.kill('SIGKILL');
    await mode(bus, 'off');
    await server.start();
    const admin = await adminAt(server);
    await makeStream(admin);
    await send(admin, '1', '2');
    await mode(bus, 'stream');
    await send(admin, '3');
    await eventually(() => {
      expect(new Set(collector.texts())).toEqual(new Set(['1', '2', '3']));
    });
  });

  it('closes at once, whatever the server does', async () => {
    const server = await ownNats();
    const { bus } = busAt(server.url);
    const collector = createCollector();
    consumeWith(bus, collector);
    await mode(bus, 'core');
    server.freeze();
    const began = Date.now();
    await bus.close();
    await bus.close();
    expect(Date.now() - began).toBeLessThan(10_000);
    server.thaw();
    expect(bus.status().mode).toBe('off');
    bus.publish('a', 'b');
  });
});
