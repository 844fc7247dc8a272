/** The MongoDB of these tests does what they rely on: it can be ended, frozen and started again, with its data. */
import { MongoClient } from 'mongodb';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { NoServer } from '../../scripts/servers/test-server.ts';
import { startOwnMongo, type OwnMongo } from '../../scripts/servers/mongo.ts';
import { startOr, tellStandIn } from './started.ts';

const progress = (): void => undefined;
const found = await startOr(() => startOwnMongo({ progress }));
afterAll(async () => {
  if (typeof found !== 'string') await found.stop();
});

/** `patienceMs`: short where no answer is expected. */
const clientOf = ({ uri }: OwnMongo, patienceMs = 30_000): MongoClient => {
  const client = new MongoClient(uri, { serverSelectionTimeoutMS: patienceMs, socketTimeoutMS: patienceMs });
  onTestFinished(() => client.close());
  return client;
};

describe.skipIf(typeof found === 'string')(typeof found === 'string' ? found : `own server: ${found.how}`, () => {
  const server = (): OwnMongo => {
    if (typeof found === 'string') throw new Error(found);
    return found;
  };
  if (typeof found !== 'string') tellStandIn(found);

  it('keeps what it acknowledged when it is killed, on the same port', async () => {
    const things = clientOf(server()).db('kept').collection<{ _id: number }>('things');
    for (let n = 0; n < 50; n += 1)
      await things.insertOne({ _id: n }, { writeConcern: { w: 'majority', journal: true } });
    await server().kill('SIGKILL');
    await expect(clientOf(server(), 500).db('kept').collection('things').countDocuments()).rejects.toThrow();
    await server().start();
    expect(await clientOf(server()).db('kept').collection('things').countDocuments()).toBe(50);
  });

  it('does not answer while it is frozen, and does again once it is thawed', async () => {
    await clientOf(server()).db('admin').command({ ping: 1 });
    const hasty = clientOf(server(), 500).db('admin');
    server().freeze();
    try {
      // The signal takes a moment to reach all its threads.
      const ping = (): Promise<boolean> =>
        hasty.command({ ping: 1 }).then(
          () => true,
          () => false,
        );
      await expect.poll(ping).toBe(false);
      expect(await ping()).toBe(false);
    } finally {
      server().thaw();
    }
    expect(await clientOf(server()).db('admin').command({ ping: 1 })).toMatchObject({ ok: 1 });
  });

  it.skipIf(typeof found !== 'string' && found.how.includes('no change streams'))('has change streams', async () => {
    const things = clientOf(server()).db('watched').collection<{ _id: number }>('things');
    const stream = things.watch();
    onTestFinished(() => stream.close());
    // Opens the cursor.
    await stream.tryNext();
    await things.insertOne({ _id: 1 });
    expect(await stream.next()).toMatchObject({ operationType: 'insert', documentKey: { _id: 1 } });
  });

  it('has none when it stands alone', async () => {
    const alone = await startOwnMongo({ progress, standalone: true });
    onTestFinished(() => alone.stop());
    expect(alone.how).toMatch(/no change streams/);
    const things = clientOf(alone).db('alone').collection<{ _id: number }>('things');
    await things.insertOne({ _id: 1 });
    const stream = things.watch();
    onTestFinished(() => stream.close());
    await expect(stream.tryNext()).rejects.toThrow();
  });
});

describe('a machine that has no MongoDB', () => {
  it('is told what was tried', async () => {
    vi.stubEnv('PATH', '');
    vi.stubEnv('DROVER_CACHE', '/nowhere');
    onTestFinished(() => void vi.unstubAllEnvs());
    const thrown = await startOwnMongo({ progress }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(NoServer);
    expect(String(thrown)).toMatch(/`mongod`.*`ferretdb`.*`python3`.*secantusdb==/);
  });
});
