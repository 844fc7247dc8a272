/**
 * The whole way, on real servers: a zip in the bucket, announced by the messages of contract §2 over plain NATS and over
 * a stream; also after each server was away. The tick is an hour off: what happens here, messages did.
 */
import type { NatsConnection, Subscription } from 'nats';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DroverProcess } from '../../scripts/drover-process.ts';
import { cases } from '../support/full.ts';
import { docker, LOOPING } from '../support/spine.ts';
import { malformedMessages } from '../support/malformed-messages.ts';
import { connectToTestNats, HAS, openWorld, type World } from '../support/servers-world.ts';
import { removeStream, STREAM } from '../support/test-stream.ts';

type Kind = 'created' | 'updated' | 'deleted';

/** As drover names them. */
const DEPENDENCY = { mongo: 'event-store', nats: 'messages', minio: 'archive-store' } as const;
/** How often somebody has found a server away before it comes back. */
const TRIES = cases(5, 50);

/** What drover says of one of its servers. */
const answers = async (drover: DroverProcess, dependency: string): Promise<boolean | undefined> => {
  const { body } = await drover.call('GET', '/readyz?verbose');
  const { dependencies } = body as { dependencies: { name: string; ok: boolean }[] };
  return dependencies.find(({ name }) => name === dependency)?.ok;
};
const listens = (drover: DroverProcess): Promise<void> => expect.poll(() => answers(drover, 'messages')).toBe(true);

const addStream = async (nats: NatsConnection): Promise<void> => {
  const subjects = ['the0.bot.created', 'the0.bot.updated', 'the0.bot.deleted'];
  await (await nats.jetstreamManager()).streams.add({ name: STREAM, subjects });
};
describe.skipIf(!HAS.mongo || !HAS.nats || !HAS.minio).each(['plain', 'stream'] as const)('messages, %s', (way) => {
  let world: World;
  let nats: NatsConnection;
  let current: DroverProcess | undefined;
  beforeAll(async () => {
    nats = await connectToTestNats();
    if (way === 'stream') await addStream(nats);
    world = await openWorld({ nats: true });
  });
  afterAll(async () => {
    await world.close();
    await removeStream(nats);
    await nats.close();
  });
  afterEach(async ({ task }) => {
    for (const proxy of Object.values(world.proxies)) proxy.restore();
    // What a test that failed has left of it says nothing to the next one.
    if (task.result?.state === 'fail') await ends('SIGKILL');
  });

  /** Only where something keeps what is sent. */
  const itKept = (name: string, test: () => Promise<void>): void => {
    if (way === 'stream') it(name, test);
  };
  /** Returns its number, where something counts them. */
  const send = async (kind: Kind, body: unknown): Promise<number | undefined> => {
    const data = body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body));
    const ack = way === 'stream' ? await nats.jetstream().publish(`the0.bot.${kind}`, data) : undefined;
    if (ack === undefined) nats.publish(`the0.bot.${kind}`, data);
    await nats.flush();
    return ack?.seq;
  };
  /** That of the test before, when it is still there. */
  const start = async (): Promise<DroverProcess> => {
    current ??= await world.start();
    await listens(current);
    return current;
  };
  const ends = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    const ended = current;
    current = undefined;
    await ended?.end(signal);
  };

  it('create, update once and delete a bot; its transitions go out under its escaped id', async () => {
    const id = 'al pha.1';
    const drover = await start();
    const heard: { subject: string; botId: string; event: string }[] = [];
    const listening: Subscription = nats.subscribe('drover.bot.*.transitions', {
      callback: (_error, { subject, data }) => {
        const { botId, event } = JSON.parse(new TextDecoder().decode(data)) as {
          botId: string;
          event: { type: string };
        };
        heard.push({ subject, botId, event: event.type });
      },
    });
    await world.putZip('user-1/alpha/1.0.0');
    const sequence = await send('created', world.document(id, {}, 'user-1/alpha/1.0.0'));
    const first = await world.reaches(drover, id, 'running');
    await world.putZip('user-1/alpha/1.1.0', `${LOOPING}\n// second`);
    await send('updated', world.document(id, { version: '1.1.0' }, 'user-1/alpha/1.1.0'));
    await expect.poll(async () => (await drover.bot(id))?.generation).toBe(2);
    const second = await world.reaches(drover, id, 'running');
    expect([first.attempt, second.attempt]).toEqual([1, 2]);
    await send('deleted', { id, config: {} });
    await world.reaches(drover, id, 'deleted');
    expect(await world.containers(id)).toEqual([]);
    expect(await world.bots.findOne({ id })).toBeNull();
    await expect.poll(() => heard.some(({ event }) => event === 'BotDeleted')).toBe(true);
    expect(new Set(heard.map(({ subject }) => subject))).toEqual(new Set(['drover.bot.al_pha_1.transitions']));
    expect(new Set(heard.map(({ botId }) => botId))).toEqual(new Set([id]));
    const cause = sequence === undefined ? '"the0.bot.created"' : `"the0.bot.created #${String(sequence)}"`;
    await expect.poll(() => drover.output()).toContain(cause);
    listening.unsubscribe();
  });

  it('are taken in the wrapped form too', async () => {
    const drover = await start();
    await world.putZip('user-1/wrapped/1.0.0');
    const { id, config, custom } = world.document('wrapped');
    await send('created', {
      type: 'bot',
      entity_id: 'x',
      data: { id, config, custom, topicName: 't' },
      timestamp: 't',
    });
    await world.reaches(drover, 'wrapped', 'running');
  });

  it.each(['mongo', 'nats', 'minio'] as const)('work as before after %s was away', async (away) => {
    const [late, after] = [`late-${away}`, `after-${away}`];
    const proxy = world.proxies[away];
    const drover = await start();
    if ((await drover.bot('steady')) === undefined) {
      await world.putZip('user-1/steady/1.0.0');
      await send('created', world.document('steady'));
    }
    const steady = await world.reaches(drover, 'steady', 'running');
    // Its container runs; now also the bot in it, which needs the archive store no more.
    const output = async () => (await docker.getContainer(steady.containerId ?? '').logs({ stdout: true })).toString();
    await expect.poll(output).toContain('beat');
    await world.putZip(`user-1/${late}/1.0.0`);
    proxy?.cut();
    // What nobody hears and nothing keeps is lost with plain NATS: then it is sent when the server is back.
    const isLost = way === 'plain' && away === 'nats';
    if (!isLost) await send('created', world.document(late));
    await expect.poll(() => answers(drover, DEPENDENCY[away])).toBe(false);
    const tried = proxy?.refused() ?? 0;
    await expect.poll(() => proxy?.refused()).toBeGreaterThanOrEqual(tried + TRIES);
    expect((await world.containers(late)).filter(({ state }) => state === 'running')).toEqual([]);
    expect((await docker.getContainer(steady.containerId ?? '').inspect()).State.Running).toBe(true);
    proxy?.restore();
    if (isLost) {
      await listens(drover);
      await send('created', world.document(late));
    }
    await world.reaches(drover, late, 'running');
    expect(await world.containers(late)).toHaveLength(1);
    await world.putZip(`user-1/${after}/1.0.0`);
    await listens(drover);
    await send('created', world.document(after));
    await world.reaches(drover, after, 'running');
    expect(await drover.bot('steady')).toMatchObject({ containerId: steady.containerId, attempt: 1 });
  });

  it('R1: 200 malformed ones become 200 dead letters, and the next good one runs', async () => {
    const drover = await start();
    const stored = async (): Promise<readonly string[]> =>
      (await world.bots.find({}).sort({ _id: 1 }).toArray()).map((bot) => bot['id'] as string);
    const letters = async (): Promise<readonly { readonly reason: string }[]> =>
      (await drover.call('GET', '/v1/dead-letters?limit=1000')).body as { reason: string }[];
    const before = await stored();
    expect(await letters()).toEqual([]);
    const bad = malformedMessages(200).filter(({ data }) => data.byteLength < 1_000_000);
    for (const { kind, data } of bad) await send(kind, data);
    await world.putZip('user-1/good/1.0.0');
    await send('created', world.document('good'));
    await world.reaches(drover, 'good', 'running');
    const found = await letters();
    expect(found).toHaveLength(bad.length);
    expect(found.every(({ reason }) => reason.length > 0)).toBe(true);
    expect((await drover.call('GET', '/healthz')).status).toBe(200);
    expect(await stored()).toEqual([...before, 'good']);
  });

  itKept('are not lost while drover is down, and a history starts nothing that its end deletes', async () => {
    await start();
    await ends('SIGTERM');
    await world.putZip('user-1/kept/1.0.0');
    await send('created', world.document('kept', { n: 1 }));
    await send('created', world.document('gone'));
    await send('updated', world.document('gone', { n: 2 }));
    await send('updated', world.document('kept', { n: 2 }));
    await send('deleted', { id: 'gone', config: {} });
    const drover = await start();
    await world.reaches(drover, 'kept', 'running');
    expect(await drover.bot('kept')).toMatchObject({ generation: 1, attempt: 1 });
    expect((await world.bots.findOne({ id: 'kept' }))?.['config']).toMatchObject({ n: 2 });
    expect(await world.ours.collection('events').countDocuments({ stream: /gone/ })).toBe(0);
  });

  itKept('survive a kill -9 of the leader: the next one goes on where it was', async () => {
    await start();
    const second = await world.start();
    await ends('SIGKILL');
    current = second;
    await world.putZip('user-1/orphan/1.0.0');
    await send('created', world.document('orphan'));
    await world.reaches(second, 'orphan', 'running');
    expect(await world.containers('orphan')).toHaveLength(1);
  });
});

describe.skipIf(!HAS.mongo || !HAS.nats || !HAS.minio)('messages of a stream', () => {
  it('that were sent before drover came to a store with bots are not replayed, and it says so', async () => {
    const nats = await connectToTestNats();
    const world = await openWorld({ nats: true });
    onTestFinished(async () => {
      await world.close();
      await removeStream(nats);
      await nats.close();
    });
    await addStream(nats);
    const send = (document: unknown): Promise<unknown> =>
      nats.jetstream().publish('the0.bot.created', new TextEncoder().encode(JSON.stringify(document)));
    await send(world.document('ancient'));
    await world.putZip('user-1/known/1.0.0');
    await world.bots.insertOne(world.document('known'));
    const drover = await world.start();
    await listens(drover);
    await world.reaches(drover, 'known', 'running');
    await world.putZip('user-1/fresh/1.0.0');
    await send(world.document('fresh'));
    await world.reaches(drover, 'fresh', 'running');
    expect(await drover.bot('ancient')).toBeUndefined();
    await expect.poll(() => drover.output()).toMatch(/consuming the stream/);
  });
});
