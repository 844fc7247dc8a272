/** A server that comes late, dies, freezes and comes back. */
import { describe, expect } from 'vitest';
import type { MessageBus } from '../../src/ports/message-bus.ts';
import type { OwnNats } from '../../scripts/servers/nats.ts';
import { eventually } from '../support/eventually.ts';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { createCollector, makeStream, natsTest as it, noOwnNats, send, type NatsTools } from './nats-support.ts';

const mode = (bus: MessageBus, wanted: string): Promise<void> =>
  eventually(() => {
    expect(bus.status().mode).toBe(wanted);
  });

/** In front of the server, to see each attempt of ours. */
const proxyOf = async (nats: NatsTools, { port }: OwnNats): Promise<TcpProxy> => {
  const proxy = await openTcpProxy(`127.0.0.1:${String(port)}`);
  nats.later(proxy.close);
  return proxy;
};

// Each test waits for timeouts of its own, on a server of its own.
describe.skipIf(noOwnNats !== undefined).concurrent(noOwnNats ?? 'NATS outages', () => {
  it('is there soon once the server comes, and tells until then why not', async ({ nats, expect }) => {
    const server = await nats.start({ started: false });
    const proxy = await proxyOf(nats, server);
    const { bus, lines } = nats.bus(`nats://drover:hidden-word@${proxy.address}`);
    const collector = createCollector(true);
    nats.consume(bus, collector);
    await eventually(() => {
      expect(bus.status().detail).toContain('not connected: 127.0.0.1');
    });
    expect(bus.status().mode).toBe('off');
    bus.publish('drover.bot.x.transitions', 'nobody hears this');
    await expect.poll(proxy.connections).toBeGreaterThan(3);
    await server.start();
    await mode(bus, 'core');
    expect(lines.filter(({ message }) => message === 'cannot reach NATS')).toHaveLength(1);
    expect(JSON.stringify([lines, bus.status()])).not.toContain('hidden-word');
  });

  it('a server that is killed midway and started again brings everything, in order', async ({ nats }) => {
    const server = await nats.start();
    const before = await nats.admin(server.url);
    await makeStream(before);
    const { bus } = nats.bus(server.url);
    const collector = createCollector();
    nats.consume(bus, collector);
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
    const after = await nats.admin(server.url);
    await send(after, '6');
    await eventually(() => {
      expect(collector.texts()).toEqual(['1', '2', '3', '4', '5', '6']);
    });
  });

  it('notices a frozen server, and goes on when it wakes', async ({ nats, expect }) => {
    const server = await nats.start();
    const proxy = await proxyOf(nats, server);
    const admin = await nats.admin(server.url);
    await makeStream(admin);
    const { bus } = nats.bus(`nats://${proxy.address}`);
    const collector = createCollector();
    nats.consume(bus, collector);
    await send(admin, '1');
    await eventually(() => {
      expect(collector.texts()).toEqual(['1']);
    });
    server.freeze();
    await eventually(() => {
      expect(bus.status().detail).toContain('reconnecting since');
    });
    const before = proxy.connections();
    await expect.poll(proxy.connections).toBeGreaterThan(before + 1);
    // No socket of an attempt that came to nothing stays open.
    await expect.poll(proxy.open).toBeLessThan(2);
    server.thaw();
    await mode(bus, 'stream');
    await send(await nats.admin(server.url), '2');
    await eventually(() => {
      expect(collector.texts()).toEqual(['1', '2']);
    });
  });

  it('reads a stream from its beginning that was made while the connection was away', async ({ nats }) => {
    const server = await nats.start();
    const { bus } = nats.bus(server.url);
    const collector = createCollector(true);
    nats.consume(bus, collector);
    await mode(bus, 'core');
    await server.kill('SIGKILL');
    await mode(bus, 'off');
    await server.start();
    const admin = await nats.admin(server.url);
    await makeStream(admin);
    await send(admin, '1', '2');
    await mode(bus, 'stream');
    await send(admin, '3');
    await eventually(() => {
      expect(new Set(collector.texts())).toEqual(new Set(['1', '2', '3']));
    });
  });

  it('closes at once, whatever the server does', async ({ nats }) => {
    const server = await nats.start();
    const { bus } = nats.bus(server.url);
    const collector = createCollector();
    nats.consume(bus, collector);
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
