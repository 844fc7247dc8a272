/** The indexes that our rules rest on, made at every start: making one that is there is nothing. */
import type { Logger } from '../../ports/logger.ts';
import { WISH_KINDS } from '../common/spec-change.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { isDuplicate, isIndexConflict } from './mongo-error.ts';
import { eventsOf } from './mongo-event-store.ts';
import { placeOf, type WishPlace } from './wish-place.ts';

const indexDocuments = async ({ documents }: WishPlace, logger: Logger): Promise<void> => {
  const { namespace: collection } = documents;
  try {
    // Sparse: documents without an id are nobody's bot, and there may be any number of them.
    await documents.createIndexes([{ key: { id: 1 }, unique: true, sparse: true }]);
  } catch (thrown) {
    if (isIndexConflict(thrown)) {
      logger.warn('collection has another index on id, which is left unchanged', { collection });
      return;
    }
    // A predecessor without the index left two documents of one bot (pitfall 6): the newest counts, and a person may tidy up.
    if (!isDuplicate(thrown)) throw thrown;
    const found = await documents.find({}, { projection: { id: 1 } }).toArray();
    const ids = found.flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
    const twice = [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
    logger.error('collection has several documents of one id, the newest counts', {
      collection,
      bots: twice.slice(0, 20),
      remedy: 'remove the older documents, and start drover again',
    });
  }
};

/** @throws the driver's errors */
export const ensureIndexes = async (mongo: MongoConnection, logger: Logger): Promise<void> => {
  const { ours } = mongo;
  await eventsOf(mongo).createIndexes([
    { key: { stream: 1, from: 1 }, unique: true },
    { key: { stream: 1, commandId: 1 }, unique: true },
  ]);
  await ours.collection('dead_letters').createIndexes([{ key: { at: 1 } }]);
  for (const kind of WISH_KINDS) {
    const place = placeOf(mongo, kind);
    await ours.collection(place.requests).createIndexes([{ key: { bot: 1, requestId: 1 }, unique: true }]);
    await indexDocuments(place, logger);
  }
};
