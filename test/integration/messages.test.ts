/**
 * The whole way, on real servers: a zip in the bucket, announced by the messages of contract §2 over plain NATS and over
 * a stream; also after each server was away. The tick is an hour off: what happens here, messages did.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { NatsConnection, Subscription } from 'nats';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DroverProcess } from '../../scripts/drover-process.ts';
import { cases } from '../support/full.ts';
import { docker, LOOPING } from '../support/spine.ts';
import { malformedMessages } from '../support/malformed-messages.ts';
import { connectToTestNats, HAS, openWorld, STREAM, type World } from '../support/servers-world.ts';

type Kind = 'created' | 'updated' | 'deleted';

/** As drover names them. */
const DEPENDENCY = { mongo: 'event-store', nats: 'messages', minio: 'archive-store' } as const;
/** Longer than it takes drover to try again several times. */
const AWAY_MS = cases(2_000, 10_000);

describe.skipIf(!HAS.mongo || !HAS.nats || !HAS.minio).each(['plain', 'stream'] as const)('messages, %s', (way) => {
  let world: World;
  let nats: NatsConnection;
  beforeEach(async () => {
    world = await openWorld({ nats: true });
    nats = await connectToTestNats();
    const streams = (await nats.jetstreamManager()).streams;
    const subjects = ['the0.bot.created', 'the0.bot.updated', 'the0.bot.deleted'];
    if (way === 'stream') await streams.add({ name: STREAM, subjects });
  });
  afterEach(async () => {
    await world.close();
    await (await nats.jetstreamManager()).streams.delete(STREAM).catch(() => undefined);
    await nats.close();
  });

  /** Only where something keeps what is sent. */
  const itKept = (name: string, test: () => Promise<void>): void => {
    if (way === 'stream') it(name, test);
  };
  const send = async (kind: Kind, body: unknown): Promise<void> => {
    const data = body instanceof Uint8Array ? body : new TextEncoder().encode(JSON.stringify(body));
    if (way === 'stream') await nats.jetstream().publish(`the0.bot.${kind}`, data);
    else nats.publish(`the0.bot.${kind}`, data);
    await nats.flush();
  };
  /** What drover says of one of its servers. */
  const answers = async (drover: DroverProcess, dependency: string): Promise<boolean | undefined> => {
    const { body } = await drover.call('GET', '/readyz?verbose');
    const { dependencies } = body as { dependencies: { name: string; ok: boolean }[] };
    return dependencies.find(({ name }) => name === dependency)?.ok;
  };
  const listens = (drover: DroverProcess): Promise<void> => expect.poll(() => answers(drover, 'messages')).toBe(true);
  const start = async (): Promise<DroverProcess> => {
    const drover = await world.start();
    await listens(drover);
    return drover;
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
    await send('created', world.document(id, {}, 'user-1/alpha/1.0.0'));
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
    const cause = way === 'stream' ? /"the0\.bot\.created #1"/ : /"the0\.bot\.created"/;
    await expect.poll(() => drover.output()).toMatch(cause);
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
    const drover = await start();
    await world.putZip('user-1/steady/1.0.0');
    await send('created', world.document('steady'));
    const steady = await world.reaches(drover, 'steady', 'running');
    // Its container runs; now also the bot in it, which needs the archive store no more.
    const output = async () => (await docker.getContainer(steady.containerId ?? '').logs({ stdout: true })).toString();
    await expect.poll(output).toContain('beat');
    await world.putZip('user-1/late/1.0.0');
    world.proxies[away]?.cut();
    // What nobody hears and nothing keeps is lost with plain NATS: then it is sent when the server is back.
    const isLost = way === 'plain' && away === 'nats';
    if (!isLost) await send('created', world.document('late'));
    await expect.poll(() => answers(drover, DEPENDENCY[away])).toBe(false);
    await sleep(AWAY_MS);
    expect((await world.containers('late')).filter(({ state }) => state === 'running')).toEqual([]);
    expect((await docker.getContainer(steady.containerId ?? '').inspect()).State.Running).toBe(true);
    world.proxies[away]?.restore();
    if (isLost) {
      await listens(drover);
      await send('created', world.document('late'));
    }
    await world.reaches(drover, 'late', 'running');
    expect(await world.containers('late')).toHaveLength(1);
    await world.putZip('user-1/after/1.0.0');
    await listens(drover);
    await send('created', world.document('after'));
    await world.reaches(drover, 'after', 'running');
    expect(await drover.bot('steady')).toMatchObject({ containerId: steady.containerId, attempt: 1 });
  });

  it('R1: 200 malformed ones become 200 dead letters, and the next good one runs', async () => {
    const drover = await start();
    const bad = malformedMessages(200).filter(({ data }) => data.byteLength < 1_000_000);
    for (const { kind, data } of bad) await send(kind, data);
    await world.putZip('user-1/good/1.0.0');
    await send('created', world.document('good'));
    await world.reaches(drover, 'good', 'running');
    const { body } = await drover.call('GET', '/v1/dead-letters?limit=1000');
    expect(body).toHaveLength(bad.length);
    expect((body as { reason: string }[]).every(({ reason }) => reason.length > 0)).toBe(true);
    expect((await drover.call('GET', '/healthz')).status).toBe(200);
    expect((await world.bots.find({}).toArray()).map((bot) => bot['id'] as string)).toEqual(['good']);
  });

  itKept('are not lost while drover is down, and a history starts nothing that its end deletes', async () => {
    const before = await start();
    await before.end('SIGTERM');
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

  itKept('that were sent before drover came to a store with bots are not replayed, and it says so', async () => {
    await send('created', world.document('ancient'));
    await world.putZip('user-1/known/1.0.0');
    await world.bots.insertOne(world.document('known'));
    const drover = await start();
    await world.reaches(drover, 'known', 'running');
    await world.putZip('user-1/fresh/1.0.0');
    await send('created', world.document('fresh'));
    await world.reaches(drover, 'fresh', 'running');
    expect(await drover.bot('ancient')).toBeUndefined();
    await expect.poll(() => drover.output()).toMatch(/the stream is read from now on/);
  });

  itKept('survive a kill -9 of the leader: the next one goes on where it was', async () => {
    const first = await start();
    const second = await world.start();
    await first.end('SIGKILL');
    await world.putZip('user-1/orphan/1.0.0');
    await send('created', world.document('orphan'));
    await world.reaches(second, 'orphan', 'running');
    expect(await world.containers('orphan')).toHaveLength(1);
  });
});
