/** Schedules in a database that other programs share: when they run next is noted there, and whose database it is. */
import { Long, type Document } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMongoWishStores, type MongoWishStores } from '../../src/adapters/mongo/mongo-wish-stores.ts';
import { watchCollection } from '../../src/adapters/mongo/watch-collection.ts';
import { wishCollections } from '../../src/adapters/mongo/wish-collections.ts';
import { placeOf } from '../../src/adapters/mongo/wish-place.ts';
import { createWishWriter } from '../../src/adapters/mongo/write-wish.ts';
import { canonicalJson } from '../../src/domain/json.ts';
import type { Asked, ScheduleStore } from '../../src/ports/spec-store.ts';
import { eventually } from '../support/eventually.ts';
import { MONGO_URI, mongoScratch, type MongoScratch } from './mongo-support.ts';

const asked: Asked = { requestId: 'r', actor: 'ann', action: 'apply', at: 1_700_000_000_000 };
const later: Asked = { ...asked, requestId: 'later' };
/** Small enough for an int32, which no reader of an int64 takes. */
const AT = 1_800_000_000;
const documentOf = (id: string, n = 1) => ({ id, config: { schedule: '0 * * * *', n }, custom: { filePath: 'p' } });

describe.skipIf(MONGO_URI === undefined)('schedules on MongoDB', () => {
  let scratch: MongoScratch;
  let stores: MongoWishStores;
  let schedules: ScheduleStore;
  beforeEach(async () => {
    scratch = await mongoScratch();
    stores = await createMongoWishStores(scratch.mongo, { writer: 'w' });
    ({ schedules } = stores);
  });
  afterEach(async () => {
    await stores.close();
    await scratch.close();
  });

  const standing = async (id: string): Promise<Document | null> =>
    scratch.mongo.schedules.findOne({ id }, { promoteLongs: false });
  const noted = async (id: string): Promise<unknown> => (await standing(id))?.['next_execution_time'] as unknown;
  const int64 = (at: number): Long => Long.fromNumber(at);

  it('notes when one runs next as an int64, and takes it away when it will not run', async () => {
    await schedules.put('a', documentOf('a'), asked);
    expect(await standing('a')).not.toHaveProperty('next_execution_time');
    await schedules.noteNextExecution('a', AT);
    expect(await noted('a')).toEqual(int64(AT));
    expect(await scratch.mongo.schedules.countDocuments({ next_execution_time: { $type: 'long' } })).toBe(1);
    await schedules.noteNextExecution('a', undefined);
    expect(await standing('a')).not.toHaveProperty('next_execution_time');
    expect(await scratch.mongo.schedules.countDocuments({ next_execution_time: { $lte: int64(2 * AT) } })).toBe(0);
  });

  it('finds a document by the `_id` that another program knows it by, and by no other text (contract §3)', async () => {
    await schedules.put('a', documentOf('a'), asked);
    const name = String((await standing('a'))?.['_id']);
    expect(await schedules.idOf?.(name)).toBe('a');
    for (const other of ['a', '', 'f'.repeat(24), `${name}0`, '{"$ne":1}']) {
      expect(await schedules.idOf?.(other)).toBeUndefined();
    }
  });

  it('keeps the note, as an int64, through all that is wished of the document', async () => {
    const odd = { id: 'odd', config: { $set: 1, 'a.b': { _bsontype: 'ObjectId' } }, custom: {} };
    await schedules.put('odd', odd, asked);
    await schedules.put('a', documentOf('a'), asked);
    for (const id of ['a', 'odd']) await schedules.noteNextExecution(id, AT);
    await schedules.put('odd', { ...odd, more: true }, later);
    await schedules.put('a', documentOf('a', 2), later);
    await schedules.applyWish('a', { kind: 'update', content: { config: { n: 3 }, custom: {} } }, later);
    for (const id of ['a', 'odd']) expect(await noted(id)).toEqual(int64(AT));
    expect((await schedules.read('odd'))?.document).toEqual({ ...odd, more: true });
    expect((await schedules.read('a'))?.document).toEqual({ id: 'a', config: { n: 3 }, custom: {} });
  });

  it('is no edit, whoever notes it, and no part of the document', async () => {
    const { document, revision } = await schedules.put('a', documentOf('a'), asked);
    const byOthers = [int64(AT), AT, AT + 0.5, null, new Date(AT * 1_000), int64(AT)];
    for (const value of byOthers) {
      await scratch.mongo.schedules.updateOne({ id: 'a' }, { $set: { next_execution_time: value } });
      const before = await schedules.read('a');
      expect(before).toMatchObject({ document, revision, asked });
      expect(canonicalJson(before?.document as never)).toBe(canonicalJson(documentOf('a')));
      expect((await schedules.readFleet()).records).toEqual([before]);
    }
    // Given in a document, it is left out: it is not the user's to set.
    const put = await schedules.put('a', { ...documentOf('a'), next_execution_time: 7 }, later);
    expect(put).toMatchObject({ document: documentOf('a'), asked: later });
    expect(await noted('a')).toEqual(int64(AT));
    // In the document of a bot it is a field like any other.
    const odd = { id: 'a', next_execution_time: 7 };
    expect((await stores.specs.put('a', odd, asked)).document).toEqual(odd);
  });

  it('what is noted between reading and replacing is not set back', async () => {
    await schedules.put('a', documentOf('a'), asked);
    await schedules.noteNextExecution('a', AT);
    const place = placeOf(scratch.mongo, 'schedules');
    const collections = wishCollections(scratch.mongo, place);
    let left = 2;
    const writer = createWishWriter(
      {
        ...collections,
        findBot: async (id) => {
          const found = await collections.findBot(id);
          if (left-- > 0) await schedules.noteNextExecution('a', left === 1 ? undefined : AT + 60);
          return found;
        },
      },
      'other',
    );
    await writer.put('a', documentOf('a', 2), later);
    expect(await noted('a')).toEqual(int64(AT + 60));
    expect((await schedules.read('a'))?.document).toEqual(documentOf('a', 2));
  });

  it('noting wakes nobody, in no process; what somebody else wishes does', async () => {
    const probe = new AbortController();
    const state = await new Promise<boolean>((resolve) => {
      watchCollection(scratch.mongo.schedules, probe.signal, { onEvent: () => undefined, onState: resolve });
    });
    probe.abort();
    await schedules.put('a', documentOf('a'), asked);
    const elsewhere = await createMongoWishStores(scratch.connect(), { writer: 'elsewhere' });
    const both = [stores, elsewhere];
    const heard = both.map((): unknown[] => []);
    for (const [which, each] of both.entries()) {
      each.schedules.onChange((id, by) => heard[which]?.push([id, by?.requestId]));
      each.specs.onChange((id) => heard[which]?.push(['bots', id]));
    }
    /** Both have heard all that was told before: by the list of the processes, and by the change stream where there is one. */
    let markers = 0;
    const isMarker = (one: unknown): boolean => /^marker/.test(String((one as unknown[])[0]));
    const catchUp = async (): Promise<void> => {
      markers += 1;
      const marker = `marker-${String(markers)}`;
      for (const [which, each] of both.entries()) {
        await each.schedules.put(`${marker}-of-${String(which)}`, documentOf(`${marker}-of-${String(which)}`), asked);
      }
      await eventually(() => {
        for (const told of heard) {
          for (const which of both.keys()) expect(told).toContainEqual([`${marker}-of-${String(which)}`, 'r']);
        }
      });
      if (!state) return;
      for (const told of heard) {
        // Until its stream is open it hears of no edit, so there is one at each look.
        let edits = 0;
        const before = told.length;
        await eventually(async () => {
          edits += 1;
          const edit = { $set: { 'config.n': edits + 1_000 * markers } };
          await scratch.mongo.schedules.updateOne({ id: `${marker}-of-0` }, edit);
          expect(told.slice(before)).toContainEqual([`${marker}-of-0`, undefined]);
        });
      }
    };
    await catchUp();
    await schedules.noteNextExecution('a', AT);
    await schedules.noteNextExecution('a', undefined);
    await scratch.mongo.schedules.updateOne({ id: 'a' }, { $set: { next_execution_time: int64(AT) } });
    await catchUp();
    const others = (): unknown[] => heard.flat().filter((one) => !isMarker(one));
    expect(others()).toEqual([]);
    // Nothing more to see where the server has no change streams.
    if (state) {
      const edit = { $set: { 'config.n': 2, next_execution_time: int64(AT + 60) } };
      await scratch.mongo.schedules.updateOne({ id: 'a' }, edit);
      await expect.poll(others).toEqual([['a', undefined], ['a', undefined]]); // prettier-ignore
    }
    await elsewhere.close();
  });

  it('an install from before there were schedules marks their database once, and misses the mark later', async () => {
    const install = await schedules.installId();
    const { mongo } = scratch;
    const scheduler = mongo.schedules.db;
    const startAgain = async (): Promise<string> => {
      const again = await createMongoWishStores(scratch.connect(), { writer: 'again' });
      const { installId } = await again.schedules.readFleet();
      expect((await again.specs.readFleet()).installId).toBe(install);
      await again.close();
      return installId;
    };
    await mongo.ours.collection('meta').deleteOne({ _id: 'schedulesMarked' as never });
    await scheduler.dropDatabase();
    expect(await startAgain()).toBe(install);
    expect((await schedules.readFleet()).installId).toBe(install);
    await scheduler.dropDatabase();
    expect((await schedules.readFleet()).installId).toBe(
      `there is no mark of this install in ${scratch.schedulesDatabase}.drover`,
    );
    expect(await startAgain()).not.toBe(install);
    // The bots' own database is another matter.
    await mongo.shared.dropDatabase();
    expect((await stores.specs.readFleet()).installId).not.toBe(install);
  });

  it('of two documents of one schedule the newest counts, and both know when it runs next', async () => {
    const documents = scratch.mongo.schedules;
    await documents.dropIndexes();
    await documents.insertMany([documentOf('a', 1), documentOf('a', 2)]);
    await schedules.noteNextExecution('a', AT);
    expect((await schedules.readFleet()).records).toMatchObject([{ id: 'a', document: documentOf('a', 2) }]);
    expect(await documents.countDocuments({ next_execution_time: int64(AT) })).toBe(2);
  });
});
