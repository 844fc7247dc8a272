/**
 * Messages of one bot as the one wish they end in, so that a replayed history starts nothing that its end deletes. Each
 * counts as on the reference: `created` on a bot that is there is nothing, `updated` inserts what is missing.
 */
import type { DecodedMessage } from '../documents/bot-message.ts';
import type { BusMessage } from '../ports/message-bus.ts';
import type { Wish } from '../ports/spec-store.ts';

export interface WishMessage {
  readonly decoded: Exclude<DecodedMessage, { kind: 'malformed' }>;
  readonly message: BusMessage;
}

export interface FoldedWish {
  readonly wish: Wish;
  /** The message that made the wish what it is. */
  readonly by: BusMessage;
  /** The last message of the bot, whether it changed anything or not. */
  readonly last: BusMessage;
}

/** A message that no stream orders may be late: this long after a deletion an `updated` brings nothing back (fault R5). */
export const LATE_MS = 60_000;

const next = (before: FoldedWish | undefined, { decoded, message }: WishMessage): Wish | undefined => {
  if (decoded.kind === 'deleted') return { kind: 'delete' };
  const { kind, content } = decoded;
  switch (before?.wish.kind) {
    case undefined:
      return { kind: kind === 'created' ? 'create' : 'update', content };
    case 'create':
    case 'update':
      return kind === 'created' ? undefined : { kind: 'update', content };
    case 'delete': {
      const isLate = kind === 'updated' && message.position === undefined && message.at - before.by.at < LATE_MS;
      return isLate ? undefined : { kind: 'replace', content };
    }
    case 'replace':
      return kind === 'created' ? undefined : { kind: 'replace', content };
  }
};

/** By bot, in the order in which each was first heard of. */
export const foldWishes = (messages: readonly WishMessage[]): ReadonlyMap<string, FoldedWish> => {
  const folded = new Map<string, FoldedWish>();
  for (const one of messages) {
    const before = folded.get(one.decoded.id);
    const wish = next(before, one);
    const by = wish === undefined && before !== undefined ? before.by : one.message;
    const kept = wish ?? before?.wish;
    if (kept !== undefined) folded.set(one.decoded.id, { wish: kept, by, last: one.message });
  }
  return folded;
};
