/** What concerns the whole install: its id, and whether the fleet is drained. */
import { randomBytes } from 'node:crypto';
import type { Db } from 'mongodb';
import { DroverError } from '../../domain/errors.ts';
import { INSTALL_ID, INSTALL_ID_WORDS } from '../../domain/naming.ts';
import type { FleetRead } from '../../ports/spec-store.ts';
import { WISH_KINDS, type WishKind } from '../common/spec-change.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { placeOf, type WishPlace } from './wish-place.ts';

interface MetaRow {
  readonly _id: string;
  readonly value: string;
}

export type Drain = NonNullable<FleetRead['drain']>;

const metaOf = (ours: Db) => ours.collection<MetaRow>('meta');

/**
 * The id of this store; the first call stores `given` or mints 8 lower-case hex digits, whichever process comes first.
 * @throws DroverError CONFIG_INVALID when `given` is no id, or not the one the store has
 */
export const ensureInstallId = async (mongo: MongoConnection, given?: string): Promise<string> => {
  const { ours } = mongo;
  if (given !== undefined && !INSTALL_ID.test(given)) {
    throw new DroverError('CONFIG_INVALID', `install id "${given}": use ${INSTALL_ID_WORDS}`);
  }
  const value = given ?? randomBytes(4).toString('hex');
  await metaOf(ours).updateOne({ _id: 'installId' }, { $setOnInsert: { value } }, { upsert: true });
  const stored = (await metaOf(ours).findOne({ _id: 'installId' }))?.value;
  if (stored === undefined) throw new DroverError('STORE_UNAVAILABLE', 'the install id was not stored');
  if (given !== undefined && stored !== given) {
    const text = `install id "${given}": this database belongs to install "${stored}"; leave INSTALL_ID out, or use another MONGO_DATABASE`;
    throw new DroverError('CONFIG_INVALID', text);
  }
  for (const kind of WISH_KINDS) await mark(mongo, placeOf(mongo, kind), stored);
  return stored;
};

const MARKED: Readonly<Record<WishKind, string>> = { bots: 'botsMarked', schedules: 'schedulesMarked' };
const markOf = ({ shared }: WishPlace) => shared.collection<MetaRow>('drover');

/** Did a drover of this install ever begin with the shared database of this kind? */
export const wasMarked = async ({ ours }: MongoConnection, kind: WishKind): Promise<boolean> =>
  (await metaOf(ours).findOne({ _id: MARKED[kind] })) !== null;

/**
 * A mark in a shared database, which may be lost or exchanged without ours. It is made once: where it has gone missing
 * since, the database is another one, and making it again would only hide that.
 */
const mark = async (mongo: MongoConnection, place: WishPlace, install: string): Promise<void> => {
  const { kind, documents } = place;
  if (await wasMarked(mongo, kind)) return;
  const value = `this install of drover reads \`${documents.collectionName}\``;
  await markOf(place).updateOne({ _id: install }, { $set: { value } }, { upsert: true });
  const marked = { $set: { value: documents.namespace } };
  await metaOf(mongo.ours).updateOne({ _id: MARKED[kind] }, marked, { upsert: true });
};

/** Undefined where no drover ever began. */
export const storedInstallId = async ({ ours }: MongoConnection): Promise<string | undefined> =>
  (await metaOf(ours).findOne({ _id: 'installId' }))?.value;

/** The id that our database and the shared one of this kind carry now; anything else when one is not what we began with. */
export const foundInstallId = async (mongo: MongoConnection, install: string, kind: WishKind): Promise<string> => {
  const place = placeOf(mongo, kind);
  const [stored, marked] = await Promise.all([
    metaOf(mongo.ours).findOne({ _id: 'installId' }),
    markOf(place).findOne({ _id: install }),
  ]);
  if (stored?.value !== install) return stored?.value ?? `there is no install id in ${mongo.ours.databaseName}`;
  return marked === null ? `there is no mark of this install in ${place.shared.databaseName}.drover` : install;
};

export const readDrain = async (ours: Db): Promise<Drain | undefined> => {
  const row = await metaOf(ours).findOne({ _id: 'drain' });
  if (row === null) return undefined;
  try {
    return JSON.parse(row.value) as Drain;
  } catch (thrown) {
    // Guessing "not drained" would start a fleet that somebody stopped.
    throw new DroverError('STORE_CORRUPT', 'the stored drain cannot be read', { cause: thrown });
  }
};

export const writeDrain = async (ours: Db, drain: Drain | undefined): Promise<void> => {
  if (drain === undefined) await metaOf(ours).deleteOne({ _id: 'drain' });
  else await metaOf(ours).replaceOne({ _id: 'drain' }, { value: JSON.stringify(drain) }, { upsert: true });
};
