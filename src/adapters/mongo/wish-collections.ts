/** The collections that hold what is wished, and reading one bot out of them. */
import type { Collection, ObjectId } from 'mongodb';
import type { BotId, BotRequest } from '../../domain/bot.ts';
import type { StreamPosition } from '../../ports/message-bus.ts';
import type { Asked, SpecRecord } from '../../ports/spec-store.ts';
import { readStoredBot, SLIM, type StoredBot } from './bot-document.ts';
import type { MongoConnection } from './mongo-connection.ts';

/** In a collection of its own: other readers of `bots` would take one for a bot. */
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

export interface RequestRow {
  readonly _id?: ObjectId;
  readonly bot: BotId;
  readonly requestId: string;
  readonly request: BotRequest;
}

export interface WishCollections {
  readonly bots: Collection;
  readonly tombstones: Collection<Tombstone>;
  readonly requests: Collection<RequestRow>;
  /** The newest document of this id; an older one beside it was left by a writer without our index. */
  findBot(id: BotId): Promise<StoredBot | undefined>;
  /** The newest document of each id, without schema and readme. */
  findFleet(): Promise<readonly StoredBot[]>;
}

export const wishCollections = ({ bots, ours }: MongoConnection): WishCollections => ({
  bots,
  tombstones: ours.collection<Tombstone>('tombstones'),
  requests: ours.collection<RequestRow>('requests'),
  async findBot(id) {
    const [found] = await bots.find({ id }).sort({ _id: -1 }).limit(1).toArray();
    return found === undefined ? undefined : readStoredBot(found);
  },
  async findFleet() {
    const newest = new Map<BotId, StoredBot>();
    for await (const found of bots.find({}, { projection: SLIM }).sort({ _id: 1 })) {
      const bot = readStoredBot(found);
      if (bot !== undefined) newest.set(bot.id, bot);
    }
    return [...newest.values()];
  },
});

/** A document as the port hands it out. Who asked for one that was edited since is not known. */
export const recordOfBot = (bot: StoredBot, requests: readonly BotRequest[]): SpecRecord => ({
  id: bot.id,
  document: bot.document,
  revision: bot.notes?.revision ?? 0,
  ...(bot.edited || bot.notes?.asked === undefined ? {} : { asked: bot.notes.asked }),
  requests,
});

export const recordOfTombstone = ({ _id, revision, asked }: Tombstone): SpecRecord => ({
  id: _id,
  document: null,
  revision,
  asked,
  requests: [],
});
