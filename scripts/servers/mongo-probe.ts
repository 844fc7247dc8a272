/** What a server that speaks MongoDB's protocol is, and whether it can be worked with at all. */
import { connect } from 'node:net';
import { MongoClient, MongoServerError } from 'mongodb';

const ANSWER_MS = 5_000;

const withClient = async <T>(uri: string, direct: boolean, work: (client: MongoClient) => Promise<T>): Promise<T> => {
  const client = new MongoClient(uri, {
    ...(direct ? { directConnection: true } : {}),
    serverSelectionTimeoutMS: ANSWER_MS,
    socketTimeoutMS: ANSWER_MS,
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
};

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(ANSWER_MS, () => socket.destroy());
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => undefined);
    socket.once('close', () => {
      resolve(false);
    });
  });

const initiate = async (client: MongoClient, host: string): Promise<void> => {
  try {
    await client.db('admin').command({ replSetInitiate: { _id: 'drover', members: [{ _id: 0, host }] } });
  } catch (thrown) {
    const ALREADY = 23;
    if (!(thrown instanceof MongoServerError) || thrown.code !== ALREADY) throw thrown;
  }
};

/** Does it take writes? `toInitiate`: it is made a replica set of one member first, if it is none. */
export const takesWrites = async (port: number, toInitiate: boolean): Promise<boolean> => {
  if (!(await listens(port))) return false;
  const host = `127.0.0.1:${String(port)}`;
  return withClient(`mongodb://${host}/`, true, async (client) => {
    const hello = await client.db('admin').command({ hello: 1 });
    if (toInitiate && hello['setName'] === undefined) {
      await initiate(client, host);
      return false;
    }
    return hello['isWritablePrimary'] === true;
  });
};

export interface MongoKind {
  /** Program and version. */
  readonly program: string;
  readonly isMongod: boolean;
  readonly changeStreams: boolean;
}

/** @throws whatever the driver throws */
export const kindOf = (uri: string): Promise<MongoKind> =>
  withClient(uri, false, async (client) => {
    const admin = client.db('admin');
    const { version, secantusVersion, ferretdb } = await admin.command({ buildInfo: 1 });
    const { setName, msg } = await admin.command({ hello: 1 });
    const changeStreams = setName !== undefined || msg === 'isdbgrid';
    if (typeof secantusVersion === 'string') {
      return { program: `secantusdb ${secantusVersion}`, isMongod: false, changeStreams };
    }
    if (ferretdb !== undefined)
      return { program: `FerretDB for MongoDB ${String(version)}`, isMongod: false, changeStreams };
    return { program: `MongoDB ${String(version)}`, isMongod: true, changeStreams };
  });

/** The least that every store needs of a server. @throws Error naming what it gets wrong */
export const checkBasics = (uri: string): Promise<void> =>
  withClient(uri, false, async (client) => {
    const db = client.db('drover_probe');
    const things = db.collection<{ _id: string; n: number; key?: string }>('things', {
      writeConcern: { w: 'majority' },
    });
    await things.createIndex({ key: 1 }, { unique: true }, {});
    await things.insertOne({ _id: 'a', n: 1, key: 'k' });
    const twice = await things.insertOne({ _id: 'b', n: 1, key: 'k' }).catch((thrown: unknown) => thrown);
    const DUPLICATE = 11_000;
    if (!(twice instanceof MongoServerError) || twice.code !== DUPLICATE) throw new Error('unique indexes do not hold');
    const after = await things.findOneAndUpdate({ _id: 'a', n: 1 }, { $inc: { n: 1 } }, { returnDocument: 'after' });
    if (after?.n !== 2) throw new Error('findOneAndUpdate does not give what it wrote');
    const upsert = await things.updateOne({ _id: 'c' }, { $setOnInsert: { n: 3 } }, { upsert: true });
    if (upsert.upsertedCount !== 1) throw new Error('upsert does not insert');
    await db.dropDatabase();
  });
