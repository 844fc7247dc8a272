/** Where each kind of what is wished lies: the documents that other programs share, and what is ours alone beside them. */
import type { Collection, Db } from 'mongodb';
import type { WishKind } from '../common/spec-change.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { NEXT_EXECUTION } from './next-execution.ts';

export interface WishPlace {
  readonly kind: WishKind;
  readonly documents: Collection;
  /** The database they are in, shared with other programs. */
  readonly shared: Db;
  /** Fields at the root of a document that say nothing of what is wished: they stay, and changing them is no edit. */
  readonly aside: readonly string[];
  /** Names of collections of ours. */
  readonly tombstones: string;
  readonly requests: string;
}

export const placeOf = (mongo: MongoConnection, kind: WishKind): WishPlace => {
  const documents = kind === 'bots' ? mongo.bots : mongo.schedules;
  const { db: shared } = documents;
  return kind === 'bots'
    ? { kind, documents, shared, aside: [], tombstones: 'tombstones', requests: 'requests' }
    : { kind, documents, shared, aside: [NEXT_EXECUTION], tombstones: 'schedule_tombstones', requests: 'schedule_requests' }; // prettier-ignore
};
