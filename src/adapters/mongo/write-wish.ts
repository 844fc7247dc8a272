/**
 * Changes of one document, each a single atomic write on the condition that nobody of ours changed it since it was read.
 * A removal lays its tombstone first, with the key of what it buries: when a crash comes between, the document still
 * stands, and the same removal, asked again, goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Document, Filter } from 'mongodb';
import type { BotId } from '../../domain/bot.ts';
import { DroverError } from '../../domain/errors.ts';
import { isObject } from '../../domain/json.ts';
import { isStale } from '../common/stream-position.ts';
import type { StreamPosition } from '../../ports/message-bus.ts';
import type { AnyRequest, Asked, Wish, WishOutcome } from '../../ports/spec-store.ts';
import { asJson, documentHash, exactConfig, NOTES, toStoredBot, type Notes, type StoredBot } from './bot-document.ts';
import { isDuplicate, isUnstorable } from './mongo-error.ts';
import { unmovedFields } from './next-execution.ts';
import { toBson } from './plain-json.ts';
import type { Tombstone, WishCollections } from './wish-collections.ts';

const TRIES = 200;

interface Found {
  readonly bot: StoredBot | undefined;
  readonly tombstone: Tombstone | undefined;
}

const asRead = ({ key, notes }: StoredBot): Filter<Document> => ({
  _id: key,
  [`${NOTES}.revision`]: notes === undefined ? { $exists: false } : notes.revision,
});

/** Refused as itself and as text, e.g. for its size: it would be so for ever. */
const refuse =
  (id: BotId) =>
  (thrown: unknown): never => {
    if (!isUnstorable(thrown)) throw thrown;
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DroverError('DOCUMENT_INVALID', `the document of ${id} cannot be stored: ${detail}`, { cause: thrown });
  };

const nextRevision = ({ bot, tombstone }: Found): number =>
  Math.max(bot?.notes?.revision ?? 0, tombstone?.revision ?? 0) + 1;

/** The place that decides whether a message is late. A tombstone whose document still stands has not happened yet. */
const taken = (found: Found): StreamPosition | undefined =>
  found.bot !== undefined && found.tombstone?.buries === String(found.bot.key)
    ? found.bot.notes?.message
    : latest(found);

const latest = ({ bot, tombstone }: Found): StreamPosition | undefined => {
  const [ofBot, ofTombstone] = [bot?.notes?.message, tombstone?.message];
  return ofBot === undefined || isStale(ofTombstone, ofBot) ? (ofTombstone ?? ofBot) : ofBot;
};

export const createWishWriter = <R extends AnyRequest>(collections: WishCollections<R>, writer: string) => {
  const {
    place: { aside },
    documents,
    tombstones,
    requests,
    findBot,
  } = collections;

  const find = async (id: BotId): Promise<Found> => {
    const [bot, tombstone] = await Promise.all([findBot(id), tombstones.findOne({ _id: id })]);
    return { bot, tombstone: tombstone ?? undefined };
  };

  const notesFor = (found: Found, document: unknown, asked: Asked, position?: StreamPosition): Notes => {
    const message = position ?? taken(found);
    const hash = documentHash(document);
    const config = exactConfig(document);
    return {
      revision: nextRevision(found),
      asked,
      hash,
      writer,
      ...(message === undefined ? {} : { message }),
      ...(config === undefined ? {} : { config }),
    };
  };

  /** Inserts or replaces. False when somebody was faster. */
  const write = async (id: BotId, found: Found, document: unknown, notes: Notes): Promise<boolean> => {
    const { bot, tombstone } = found;
    const attempt = async (asText: boolean): Promise<boolean> => {
      const stored = toStoredBot(id, document, notes, { segment: bot?.segment, aside: bot?.aside, asText });
      if (bot !== undefined) {
        // Replacing would set back what others wrote beside the document since it was read.
        const unmoved = { ...asRead(bot), ...unmovedFields(aside, bot.aside) };
        return (await documents.replaceOne(unmoved, stored)).matchedCount > 0;
      }
      // Requests that outlived the former bot of this id were not asked of this one; those that come from now on are.
      const outlived = await requests.find({ bot: id }, { projection: { _id: 1 } }).toArray();
      await documents.insertOne(stored);
      if (outlived.length > 0) await requests.deleteMany({ _id: { $in: outlived.map(({ _id }) => _id) } });
      return true;
    };
    try {
      const done = await attempt(false).catch((thrown: unknown) => {
        if (!isUnstorable(thrown)) throw thrown;
        return attempt(true).catch(refuse(id));
      });
      if (done && tombstone !== undefined) await tombstones.deleteOne({ _id: id, revision: tombstone.revision });
      return done;
    } catch (thrown) {
      if (isDuplicate(thrown)) return false;
      throw thrown;
    }
  };

  /** Sets `config` and `custom` alone, so that what others set beside them stays. False when somebody was faster. */
  const amend = async (id: BotId, found: Found, document: unknown, notes: Notes): Promise<boolean> => {
    const { bot } = found;
    if (bot === undefined || bot.notes?.raw !== undefined || !isObject(document))
      return write(id, found, document, notes);
    const { config, custom } = document;
    try {
      return (
        (
          await documents.updateOne(asRead(bot), {
            $set: { config: toBson(config), custom: toBson(custom), [NOTES]: notes },
          })
        ).matchedCount > 0
      );
    } catch (thrown) {
      if (isUnstorable(thrown)) return write(id, found, document, notes);
      throw thrown;
    }
  };

  const bury = async (id: BotId, found: Found, asked: Asked, position?: StreamPosition): Promise<boolean> => {
    const message = position ?? latest(found);
    const { bot } = found;
    const stone = {
      revision: nextRevision(found),
      asked,
      at: asked.at,
      ...(message === undefined ? {} : { message }),
      ...(bot === undefined ? {} : { buries: String(bot.key) }),
    };
    await tombstones.replaceOne({ _id: id }, stone, { upsert: true });
    if (bot !== undefined) {
      // Older ones, left by a writer without our index: else one of them would stand for the bot again.
      const keys = await documents.find({ id }, { projection: { _id: 1 } }).toArray();
      const older = keys.map(({ _id }) => _id).filter((key) => String(key) !== String(bot.key));
      if (older.length > 0) await documents.deleteMany({ _id: { $in: older } });
      if ((await documents.deleteOne(asRead(bot))).deletedCount === 0) return false;
    }
    await requests.deleteMany({ bot: id });
    return true;
  };

  const untilDone = async <T>(id: BotId, attempt: (found: Found) => Promise<T | undefined>): Promise<T> => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const done = await attempt(await find(id));
      if (done !== undefined) return done;
      await sleep(Math.random() * Math.min(5 * (tries + 1), 100));
    }
    throw new DroverError(
      'STORE_UNAVAILABLE',
      `the document of ${id} could not be stored, because other processes keep changing it`,
    );
  };

  const wished = async (
    id: BotId,
    found: Found,
    wish: Wish,
    asked: Asked,
    position: StreamPosition | undefined,
  ): Promise<WishOutcome | undefined> => {
    const { bot } = found;
    if (isStale(taken(found), position)) return 'stale';
    if (wish.kind === 'delete') {
      // Also of what is not there: the place of the message must be kept, or an earlier one could bring it back.
      if (bot === undefined && position === undefined) return 'unchanged';
      return (await bury(id, found, asked, position)) ? 'applied' : undefined;
    }
    if (wish.kind === 'create' && bot !== undefined) {
      if (position === undefined) return 'unchanged';
      const notes = bot.notes ?? { ...notesFor(found, bot.document, asked), hash: '', revision: 0 };
      // Not only the revision: another process may have noted a later place meanwhile.
      const unmoved = {
        ...asRead(bot),
        [`${NOTES}.message.sequence`]: bot.notes?.message?.sequence ?? { $exists: false },
      };
      const { matchedCount } = await documents.updateOne(unmoved, {
        $set: { [NOTES]: { ...notes, message: position } },
      });
      return matchedCount > 0 ? 'unchanged' : undefined;
    }
    const { config, custom } = wish.content;
    const kept = wish.kind === 'update' && isObject(bot?.document) ? bot.document : {};
    const document = asJson(id, { ...kept, id, config, custom });
    const notes = notesFor(found, document, asked, position);
    const done = await (wish.kind === 'update' ? amend : write)(id, found, document, notes);
    return done ? 'applied' : undefined;
  };

  return {
    put: (id: BotId, document: unknown, asked: Asked): Promise<void> =>
      untilDone(id, async (found) =>
        (await write(id, found, document, notesFor(found, document, asked))) ? null : undefined,
      ).then(() => undefined),
    /** False when there was nothing. */
    remove: (id: BotId, asked: Asked): Promise<boolean> =>
      untilDone(id, async (found) => {
        if (found.bot === undefined) return false;
        return (await bury(id, found, asked)) ? true : undefined;
      }),
    apply: (id: BotId, wish: Wish, asked: Asked, position?: StreamPosition): Promise<WishOutcome> =>
      untilDone(id, (found) => wished(id, found, wish, asked, position)),
  };
};
