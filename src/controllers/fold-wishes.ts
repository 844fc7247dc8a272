/**
 * Messages of one bot as wishes, each counting as on the reference: `created` on a bot that is there is nothing, `updated`
 * inserts what is missing. Those that a stream keeps become one, so that a replayed history starts nothing that its end
 * deletes. Those that nothing keeps stay apart: what each means depends on the document that it finds.
 */
import type { DecodedMessage } from '../documents/wish-message.ts';
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

/** What the message makes of the wish before it; undefined when it changes nothing. */
const next = (before: Wish | undefined, { decoded }: WishMessage): Wish | undefined => {
  if (decoded.kind === 'deleted') return { kind: 'delete' };
  const { kind, content } = decoded;
  switch (before?.kind) {
    case undefined:
      return { kind: kind === 'created' ? 'create' : 'update', content };
    case 'create':
    case 'update':
      return kind === 'created' ? undefined : { kind: 'update', content };
    case 'delete':
      return { kind: 'replace', content };
    case 'replace':
      return kind === 'created' ? undefined : { kind: 'replace', content };
  }
};

const add = (before: FoldedWish | undefined, one: WishMessage): FoldedWish | undefined => {
  const { message } = one;
  const wish = next(before?.wish, one);
  if (wish !== undefined) return { wish, by: message, last: message };
  return before === undefined ? undefined : { ...before, last: message };
};

const isKept = ({ position }: BusMessage, before: FoldedWish): boolean =>
  position !== undefined && position.stream === before.last.position?.stream;

/** By bot, in the order in which each was first heard of; of each bot in the order of its messages. */
export const foldWishes = (messages: readonly WishMessage[]): ReadonlyMap<string, readonly FoldedWish[]> => {
  const folded = new Map<string, FoldedWish[]>();
  for (const one of messages) {
    const wishes = folded.get(one.decoded.id) ?? [];
    folded.set(one.decoded.id, wishes);
    const previous = wishes.at(-1);
    const before = previous !== undefined && isKept(one.message, previous) ? wishes.pop() : undefined;
    const after = add(before, one);
    if (after !== undefined) wishes.push(after);
  }
  return folded;
};
