/** What goes wrong between two writes, and what other programs leave in the shared database. */
import { MongoNetworkError, type Collection } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureIndexes } from '../../src/adapters/mongo/indexes.ts';
import { createMongoWishStores, type MongoWishStores } from '../../src/adapters/mongo/mongo-wish-stores.ts';
import { wishCollections, type WishCollections } from '../../src/adapters/mongo/wish-collections.ts';
import { placeOf } from '../../src/adapters/mongo/wish-place.ts';
import { createWishWriter } from '../../src/adapters/mongo/write-wish.ts';
import type { BotRequest } from '../../src/domain/bot.ts';
import type { Asked, SpecStore } from '../../src/ports/spec-store.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { codeOf } from './commits.ts';
import { MONGO_URI, mongoScratch, type MongoScratch } from './mongo-support.ts';

const asked: Asked = { requestId: 'r', actor: 'nats', action: 'the0.bot.deleted', at: 1_700_000_000_000 };
const at = (sequence: number) => ({ stream: 'S@1', sequence });
const content = (n: number) => ({ config: { n }, custom: { filePath: 'p' } });

describe.skipIf(MONGO_URI === undefined)('MongoDB between two writes', () => {
  let scratch: MongoScratch;
  let stores: MongoWishStores;
  let specs: SpecStore;
  let collections: WishCollections<BotRequest>;
  beforeEach(async () => {
    scratch = await mongoScratch();
    stores = await createMongoWishStores(scratch.mongo, { writer: 'w' });
    ({ specs } = stores);
    collections = wishCollections(scratch.mongo, placeOf(scratch.mongo, 'bots'));
  });
  afterEach(async () => {
    await stores.close();
    await scratch.close();
  });

  /** A writer before whose first call of this name something happens. */
  const writerWith = (name: 'deleteOne' | 'insertOne' | 'updateOne', first: () => Promise<void>) => {
    let left = 1;
    const documents = new Proxy(collections.documents, {
      get: (target, key) => {
        const member = Reflect.get(target, key) as unknown;
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]): Promise<unknown> => {
          if (key === name && left > 0) {
            left -= 1;
            await first();
          }
          return (member as (...given: unknown[]) => unknown).apply(target, args);
        };
      },
    });
    // Cursors are asked for at once, not promised.
    const find: Collection['find'] = collections.documents.find.bind(collections.documents);
    const both = new Proxy(documents, {
      get: (target, key) => (key === 'find' ? find : (Reflect.get(target, key) as unknown)),
    });
    return createWishWriter({ ...collections, documents: both }, 'other');
  };
  const documentOf = async (id: string): Promise<unknown> => (await specs.read(id))?.document;

  it('a deletion that broke off after its tombstone goes on when it comes again', async () => {
    await specs.applyWish('a', { kind: 'create', content: content(1) }, asked, at(1));
    const writer = writerWith('deleteOne', () => Promise.reject(new MongoNetworkError('cut')));
    await expect(writer.apply('a', { kind: 'delete' }, asked, at(2))).rejects.toThrow('cut');
    expect(await documentOf('a')).toEqual({ id: 'a', ...content(1) });
    expect(await specs.applyWish('a', { kind: 'delete' }, asked, at(2))).toBe('applied');
    expect(await documentOf('a')).toBeNull();
    expect(await specs.applyWish('a', { kind: 'delete' }, asked, at(2))).toBe('stale');
  });

  it('a deletion is not lost to an edit in between', async () => {
    await specs.applyWish('a', { kind: 'create', content: content(1) }, asked, at(1));
    const writer = writerWith('deleteOne', async () => {
      await specs.put('a', { id: 'a', ...content(2) }, asked);
    });
    expect(await writer.apply('a', { kind: 'delete' }, asked, at(2))).toBe('applied');
    expect(await documentOf('a')).toBeNull();
  });

  it('a place that was noted meanwhile never goes back', async () => {
    await specs.applyWish('a', { kind: 'create', content: content(1) }, asked, at(1));
    const writer = writerWith('updateOne', async () => {
      await specs.applyWish('a', { kind: 'create', content: content(1) }, asked, at(9));
    });
    expect(await writer.apply('a', { kind: 'create', content: content(1) }, asked, at(5))).toBe('stale');
    expect(await specs.applyWish('a', { kind: 'delete' }, asked, at(7))).toBe('stale');
  });

  it('a request that was accepted stays when another lost the race to make the bot', async () => {
    const request = { requestId: 'q', kind: 'restart' as const, actor: 'ann', reason: '', at: 1 };
    const writer = writerWith('insertOne', async () => {
      await specs.put('a', { id: 'a', ...content(1) }, asked);
      await specs.addRequest('a', request);
    });
    await writer.apply('a', { kind: 'create', content: content(2) }, asked, at(1));
    expect((await specs.read('a'))?.requests).toEqual([request]);
  });

  it('a removed bot takes its older twins with it, whatever their keys are', async () => {
    await scratch.mongo.bots.dropIndexes();
    await scratch.mongo.bots.insertMany([
      { _id: 'text-key' as never, id: 'a', config: { old: 1 } },
      { id: 'a', config: {} },
    ]);
    await specs.remove('a', asked);
    expect(await documentOf('a')).toBeNull();
    expect(await scratch.mongo.bots.countDocuments({ id: 'a' })).toBe(0);
  });

  it('what the driver or the server will never take is kept as text, or refused for good', async () => {
    const odd = { id: 'a', config: { a: { _bsontype: 'ObjectId' }, $set: 1, 'b.c': 2 }, custom: {} };
    await specs.put('a', odd, asked);
    expect(await documentOf('a')).toEqual(odd);
    const { config, custom } = odd;
    expect(await specs.applyWish('b', { kind: 'create', content: { config, custom } }, asked, at(1))).toBe('applied');
    const huge = { id: 'c', config: { text: 'x'.repeat(17 * 1_024 * 1_024) }, custom: {} };
    expect(codeOf(await specs.put('c', huge, asked).catch((thrown: unknown) => thrown))).toBe('DOCUMENT_INVALID');
  });

  it('numbers and texts that cannot be kept do not make a document look edited by somebody else', async () => {
    const config = JSON.parse('{"x":1e999,"s":"\\ud800"}') as { x: number; s: string };
    await specs.applyWish('a', { kind: 'create', content: { config, custom: {} } }, asked, at(1));
    expect((await specs.read('a'))?.asked).toEqual(asked);
  });

  it('a fleet is read as that of another install once either database is another one', async () => {
    const install = await specs.installId();
    expect((await specs.readFleet()).installId).toBe(install);
    await scratch.mongo.shared.collection('drover').deleteMany({});
    expect((await specs.readFleet()).installId).not.toBe(install);
    await scratch.mongo.shared.collection('drover').insertOne({ _id: install as never });
    expect((await specs.readFleet()).installId).toBe(install);
    await scratch.mongo.ours.collection('meta').updateOne({ _id: 'installId' as never }, { $set: { value: 'other' } });
    expect((await specs.readFleet()).installId).toBe('other');
    // Started anew on a shared database that lost its mark, drover does not make it again.
    await scratch.mongo.ours.collection('meta').updateOne({ _id: 'installId' as never }, { $set: { value: install } });
    await scratch.mongo.shared.dropDatabase();
    const again = await createMongoWishStores(scratch.connect(), { writer: 'again' });
    expect((await again.specs.readFleet()).installId).not.toBe(install);
    await again.close();
  });

  it('documents without an id, and an index of somebody else, are no reason not to start', async () => {
    const { bots } = scratch.mongo;
    await bots.dropIndexes();
    await bots.insertMany([{ name: 'stray' }, { name: 'stray too' }]);
    await ensureIndexes(scratch.mongo, silentLogger);
    const unique = (await bots.indexes()).filter((index) => index.unique === true);
    expect(unique.map(({ key }) => key)).toContainEqual({ id: 1 });
    await bots.dropIndexes();
    await bots.createIndexes([{ key: { id: 1 } }]);
    await ensureIndexes(scratch.mongo, silentLogger);
    expect((await specs.readFleet()).records).toEqual([]);
  });
});
