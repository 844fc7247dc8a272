/** What is wished of one kind of bot, on documents as other programs know them (contract §3); what is ours alone lies in our database. */
import { ObjectId } from 'mongodb';
import type { BotId } from '../../domain/bot.ts';
import { DroverError } from '../../domain/errors.ts';
import type { AnyRequest, SpecRecord, SpecStore } from '../../ports/spec-store.ts';
import { WISH_KINDS } from '../common/spec-change.ts';
import { asJson, withoutFields } from './bot-document.ts';
import { foundInstallId, readDrain, writeDrain } from './install-meta.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { isDuplicate, translated } from './mongo-error.ts';
import type { SpecChanges } from './spec-changes.ts';
import { recordOfBot, recordOfTombstone, wishCollections } from './wish-collections.ts';
import type { WishPlace } from './wish-place.ts';
import { createWishWriter } from './write-wish.ts';

export interface MongoSpecStoreOptions {
  readonly place: WishPlace;
  readonly installId: string;
  /** Distinct for each process. */
  readonly writer: string;
  /** Of both kinds; the caller's to close. */
  readonly changes: SpecChanges;
}

const checkId = (id: BotId): void => {
  if (id === '' || id.includes('\u0000') || !id.isWellFormed()) {
    throw new DroverError('BOT_ID_INVALID', `bot id ${JSON.stringify(id)} cannot be stored`);
  }
};

/** `close` ends its own `onChange` listeners. */
export const createMongoSpecStore = <R extends AnyRequest>(
  mongo: MongoConnection,
  { place, installId, writer: name, changes }: MongoSpecStoreOptions,
): SpecStore<R> => {
  const { kind: wishes } = place;
  const collections = wishCollections<R>(mongo, place);
  const { tombstones, requests, findBot, findFleet } = collections;
  const writer = createWishWriter(collections, name);
  const stops = new Set<() => void>();

  const requestsOf = async (id: BotId): Promise<readonly R[]> =>
    (await requests.find({ bot: id }).sort({ _id: 1 }).toArray()).map(({ request }) => request);

  const read = async (id: BotId): Promise<SpecRecord<R> | undefined> => {
    const [bot, tombstone, asked] = await Promise.all([findBot(id), tombstones.findOne({ _id: id }), requestsOf(id)]);
    if (bot !== undefined) return recordOfBot(bot, asked);
    return tombstone === null ? undefined : recordOfTombstone(tombstone);
  };

  return {
    installId: () => Promise.resolve(installId),
    read: (id) => translated(() => read(id)),
    idOf: (name) =>
      translated(async () => {
        if (!/^[0-9a-f]{24}$/i.test(name)) return undefined;
        const found = await place.documents.findOne({ _id: new ObjectId(name) }, { projection: { id: 1 } });
        return typeof found?.['id'] === 'string' ? found['id'] : undefined;
      }),
    readFleet: () =>
      translated(async () => {
        const foundBefore = await foundInstallId(mongo, installId, wishes);
        const fleet = await findFleet();
        // After the documents: a deletion lays its tombstone first, so whatever was gone above has one here.
        const [stones, asked, drain] = await Promise.all([
          tombstones.find().toArray(),
          requests.find().sort({ _id: 1 }).toArray(),
          readDrain(mongo.ours),
        ]);
        // Asked on both sides of the read: only absence from the right store counts.
        const foundAfter = await foundInstallId(mongo, installId, wishes);
        const byBot = new Map<BotId, R[]>();
        for (const { bot, request } of asked) byBot.set(bot, [...(byBot.get(bot) ?? []), request]);
        const standing = new Set(fleet.map(({ id }) => id));
        const records = [
          ...fleet.map((bot) => recordOfBot(bot, byBot.get(bot.id) ?? [])),
          ...stones.filter(({ _id }) => !standing.has(_id)).map(recordOfTombstone),
        ];
        const found = foundBefore === installId ? foundAfter : foundBefore;
        return { installId: found, records, ...(drain === undefined ? {} : { drain }) };
      }),
    put: async (id, document, asked) => {
      checkId(id);
      const json = withoutFields(asJson(id, document), place.aside);
      const record = await translated(async () => {
        await writer.put(id, json, asked);
        return read(id);
      });
      if (record === undefined) throw new DroverError('STORE_CORRUPT', `the document of ${id} was not stored`);
      changes.publish([wishes], { id, asked });
      return record;
    },
    remove: async (id, asked) => {
      const removed = await translated(() => writer.remove(id, asked));
      if (removed) changes.publish([wishes], { id, asked });
      return removed;
    },
    applyWish: async (id, wish, asked, position) => {
      checkId(id);
      const outcome = await translated(() => writer.apply(id, wish, asked, position));
      if (outcome === 'applied') changes.publish([wishes], { id, asked });
      return outcome;
    },
    forgetTombstones: async (before) => {
      await translated(() => tombstones.deleteMany({ at: { $lt: before } }));
    },
    addRequest: async (id, request) => {
      const added = await translated(async () => {
        if ((await findBot(id)) === undefined) throw new DroverError('BOT_NOT_FOUND', `there is no bot ${id}`);
        try {
          await requests.insertOne({ bot: id, requestId: request.requestId, request });
          return true;
        } catch (thrown) {
          if (isDuplicate(thrown)) return false;
          throw thrown;
        }
      });
      const { requestId, actor, kind, at } = request;
      if (added) changes.publish([wishes], { id, asked: { requestId, actor, action: kind, at } });
    },
    clearRequests: async (id, requestIds) => {
      if (requestIds.length === 0) return;
      await translated(() => requests.deleteMany({ bot: id, requestId: { $in: [...requestIds] } }));
    },
    setDrain: async (drain) => {
      await translated(() => writeDrain(mongo.ours, drain));
      // One drain for both kinds.
      changes.publish(WISH_KINDS, { id: undefined, asked: drain });
    },
    onChange: (listener) => {
      const stop = changes.listeners(wishes).add((change) => {
        listener(change.id, change.asked);
      });
      stops.add(stop);
      return () => {
        stops.delete(stop);
        stop();
      };
    },
    close: async () => {
      for (const stop of stops) stop();
      stops.clear();
      await changes.idle();
    },
  };
};
