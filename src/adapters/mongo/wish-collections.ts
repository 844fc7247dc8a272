/** The collections that hold what is wished of one kind, and reading one bot out of them. */
import type { Collection, Document, FindOptions, ObjectId } from 'mongodb';
import type { BotId } from '../../domain/bot.ts';
import type { StreamPosition } from '../../ports/message-bus.ts';
import type { AnyRequest, Asked, SpecRecord } from '../../ports/spec-store.ts';
import { readStoredBot, SLIM, type StoredBot } from './bot-document.ts';
import type { MongoConnection } from './mongo-connection.ts';
import type { WishPlace } from './wish-place.ts';

/** In a collection of its own: other readers of the documents would take one for a bot. */
export interface Tombstone {
  readonly _id: BotId;
  readonly revision: number;
  readonly asked: Asked;
  /** When it was laid, epoch milliseconds. */
  readonly at: number;
  readonly message?: StreamPosition;
  /** Key of the document it was laid for: while that still stands, the deletion is not done. */
  readonly buries?: string;
}

export interface RequestRow<R extends AnyRequest> {
  readonly _id?: ObjectId;
  readonly bot: BotId;
  readonly requestId: string;
  readonly request: R;
}

export interface WishCollections<R extends AnyRequest> {
  readonly place: WishPlace;
  readonly documents: Collection;
  readonly tombstones: Collection<Tombstone>;
  readonly requests: Collection<RequestRow<R>>;
  /** The newest document of this id; an older one beside it was left by a writer without our index. */
  findBot(id: BotId): Promise<StoredBot | undefined>;
  /** The newest document of each id, without schema and readme. */
  findFleet(): Promise<readonly StoredBot[]>;
}

/**
 * Text of another program that is no UTF-8 is read with replacement characters: as an error it would stop every read of the fleet.
 * Without a list of raw fields that inherits nothing, the driver hands out bytes for lists below keys such as `constructor`.
 */
const LENIENT: FindOptions = { enableUtf8Validation: false, fieldsAsRaw: Object.create(null) as Document };

export const wishCollections = <R extends AnyRequest>(
  { ours }: MongoConnection,
  place: WishPlace,
): WishCollections<R> => {
  const { documents, aside } = place;
  return {
    place,
    documents,
    tombstones: ours.collection<Tombstone>(place.tombstones),
    requests: ours.collection<RequestRow<R>>(place.requests),
    async findBot(id) {
      const [found] = await documents.find({ id }, LENIENT).sort({ _id: -1 }).limit(1).toArray();
      return found === undefined ? undefined : readStoredBot(found, aside);
    },
    async findFleet() {
      const newest = new Map<BotId, StoredBot>();
      for await (const found of documents.find({}, { projection: SLIM, ...LENIENT }).sort({ _id: 1 })) {
        const bot = readStoredBot(found, aside);
        if (bot !== undefined) newest.set(bot.id, bot);
      }
      return [...newest.values()];
    },
  };
};

/** A document as the port hands it out. Who asked for one that was edited since is not known. */
export const recordOfBot = <R extends AnyRequest>(bot: StoredBot, requests: readonly R[]): SpecRecord<R> => ({
  id: bot.id,
  document: bot.document,
  revision: bot.notes?.revision ?? 0,
  ...(bot.edited || bot.notes?.asked === undefined ? {} : { asked: bot.notes.asked }),
  requests,
});

export const recordOfTombstone = ({ _id, revision, asked }: Tombstone): SpecRecord<never> => ({
  id: _id,
  document: null,
  revision,
  asked,
  requests: [],
});
