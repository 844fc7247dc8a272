/** Users, tokens, what they may do, and what is sent by us. */
import { connect } from 'nats';
import { describe, expect } from 'vitest';
import type { MessageBus } from '../../src/ports/message-bus.ts';
import {
  countLooks,
  createCollector,
  makeStream,
  natsTest as it,
  noOwnNats,
  send,
  type NatsTools,
} from './nats-support.ts';
import { eventually } from '../support/eventually.ts';

const PASSWORD = 'p@ss:w/rd';
const LOGIN = `someone:${encodeURIComponent(PASSWORD)}`;

const users = (permissions: string): string => `
  authorization { users = [
    { user: "someone", password: "${PASSWORD}", permissions: { ${permissions} } }
    { user: "root", password: "root" }
  ] }`;

const mode = (bus: MessageBus, wanted: string): Promise<void> =>
  eventually(() => {
    expect(bus.status().mode).toBe(wanted);
  });

describe.skipIf(noOwnNats !== undefined)(noOwnNats ?? 'NATS rights', () => {
  const rootAt = async (nats: NatsTools, port: number) => {
    const root = await connect({ servers: `127.0.0.1:${String(port)}`, user: 'root', pass: 'root', reconnect: false });
    nats.later(() => root.close());
    return root;
  };

  it('without the right to JetStream it takes messages as they are sent, and warns once', async ({ nats }) => {
    const server = await nats.start({ config: users('publish: { deny: "$JS.>" }'), login: LOGIN });
    const root = await rootAt(nats, server.port);
    await makeStream(root);
    const { bus, lines } = nats.bus(server.url);
    const collector = createCollector();
    nats.consume(bus, collector);
    await mode(bus, 'core');
    expect(bus.status().detail).toContain('Permissions Violation');
    await eventually(async () => {
      root.publish('the0.bot.created', 'a');
      await root.flush();
      expect(collector.texts()).toContain('a');
    });
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(JSON.stringify([lines, bus.status()])).not.toContain(PASSWORD);
  });

  it.for(['$JS.API.CONSUMER.CREATE.>', '$JS.API.CONSUMER.MSG.NEXT.>', '$JS.ACK.>'])(
    'without the right to %s alone it does the same',
    async (subject, { nats }) => {
      const server = await nats.start({ config: users(`publish: { deny: "${subject}" }`), login: LOGIN });
      const root = await rootAt(nats, server.port);
      await makeStream(root);
      await send(root, 'first');
      const { bus } = nats.bus(server.url);
      const collector = createCollector();
      nats.consume(bus, collector);
      await mode(bus, 'core');
      expect(bus.status().detail).toContain('Permissions Violation');
      await eventually(async () => {
        await send(root, 'a');
        expect(collector.texts()).toContain('a');
      });
    },
  );

  it('without the right to hear anything it is off, and says why', async ({ nats }) => {
    const server = await nats.start({ config: users('subscribe: { deny: "the0.>" }'), login: LOGIN });
    const looks = await countLooks(await rootAt(nats, server.port));
    const { bus } = nats.bus(server.url);
    nats.consume(bus, createCollector());
    const expectOff = (): void => {
      expect(bus.status()).toMatchObject({ mode: 'off', detail: expect.stringContaining('the0.bot') as string });
    };
    await eventually(expectOff);
    // It looks again, and stays off.
    const before = looks();
    await expect.poll(looks).toBeGreaterThan(before + 2);
    expectOff();
  });

  it('a wrong password is tried again until it is right, and is told to nobody', async ({ nats }) => {
    const server = await nats.start({ config: users(''), login: 'someone:not-this-one' });
    const { bus, lines } = nats.bus(server.url);
    await eventually(() => {
      expect(bus.status().detail).toContain('Authorization Violation');
    });
    expect(JSON.stringify([lines, bus.status()])).not.toContain('not-this-one');
    const list = nats.bus(`${server.url},nats://${LOGIN}@127.0.0.1:${String(server.port)}`);
    await eventually(() => {
      expect(list.bus.status().detail).toContain('no messages are read');
    });
  });

  it('nothing is said in the open where TLS was wanted', async ({ nats }) => {
    const server = await nats.start();
    const { bus } = nats.bus(server.url.replace('nats:', 'tls:'));
    await eventually(() => {
      expect(bus.status().detail).toContain('the server does not offer TLS');
    });
  });

  it('a token opens too', async ({ nats }) => {
    const server = await nats.start({ config: 'authorization { token: "abc" }', login: 'abc' });
    const { bus } = nats.bus(server.url);
    await eventually(() => {
      expect(bus.status().detail).toContain('no messages are read');
    });
    expect(bus.status().detail).not.toContain('abc');
  });

  it('what we send arrives, and what is too large is dropped', async ({ nats }) => {
    const server = await nats.start({ config: 'max_payload: 1024' });
    const admin = await nats.admin(server.url);
    const heard: string[] = [];
    admin.subscribe('drover.>', { callback: (_error, { data }) => heard.push(Buffer.from(data).toString()) });
    await admin.flush();
    const { bus } = nats.bus(server.url);
    bus.publish('drover.bot.x.transitions', 'not connected yet');
    await eventually(() => {
      expect(bus.status().detail).toContain('no messages are read');
    });
    bus.publish('drover.bot.x.transitions', 'x'.repeat(2_000));
    bus.publish('', 'no subject');
    const many = Array.from({ length: 1_000 }, (_none, index) => `${String(index)} ${'.'.repeat(500)}`);
    for (const text of many) bus.publish('drover.bot.x.transitions', text);
    await eventually(() => {
      expect(heard).toEqual(many);
    });
  });
});
