/**
 * Messages into documents: takes what waits, folds it per bot and stores the result, each with the place of its last
 * message. What cannot be understood becomes a dead letter; what cannot be stored comes again. Documents wake bots, never
 * messages: losing all of them costs nothing that is stored.
 */
import { toDroverError } from '../domain/errors.ts';
import type { DeadLetterStore } from '../ports/dead-letter-store.ts';
import type { BusMessage, WishConsumer } from '../ports/message-bus.ts';
import type { AnyRequest, Asked, SpecStore } from '../ports/spec-store.ts';
import type { Logger } from '../ports/logger.ts';
import { foldWishes, type FoldedWish, type WishMessage } from './fold-wishes.ts';
import type { WishKind } from './wish-kinds.ts';

export interface WishIntakeOptions {
  readonly kind: WishKind;
  /** Of this kind. */
  readonly specs: Pick<SpecStore<AnyRequest>, 'read' | 'readFleet' | 'applyWish'>;
  readonly deadLetters: DeadLetterStore;
  readonly logger: Logger;
  readonly mintId: () => string;
  /** @throws DroverError LEASE_LOST when this process may not write for the others */
  readonly mayAct: () => void;
}

/** A message that no stream orders may be late: this long after a deletion an `updated` brings nothing back (fault R5). */
export const LATE_MS = 60_000;
/** Documents written side by side. */
const WRITERS = 16;
/** Of a message that was not understood; enough for a person to see what it was, bytes. */
const KEPT_BYTES = 64 * 1_024;

export const createWishIntake = (options: WishIntakeOptions): WishConsumer => {
  const { specs, deadLetters, logger, mintId, mayAct } = options;
  const { reads, decode } = options.kind;
  /** Without a place in a stream the store cannot know that it has one already. */
  const buried = new WeakSet<BusMessage>();

  const bury = async (message: BusMessage, reason: string): Promise<void> => {
    if (buried.has(message)) return;
    const { subject, data, position, at } = message;
    await deadLetters.add({
      subject,
      at,
      reason,
      size: data.byteLength,
      data: Buffer.from(data.subarray(0, KEPT_BYTES)).toString('base64'),
      ...(position === undefined ? {} : { position }),
    });
    buried.add(message);
    logger.warn('message is not valid, stored as a dead letter', { subject, reason, sequence: position?.sequence });
  };

  const askedBy = ({ subject, at, position }: BusMessage): Asked => ({
    requestId: position === undefined ? mintId() : `${position.stream}#${String(position.sequence)}`,
    actor: 'nats',
    action: subject,
    at,
    message: { subject, ...(position === undefined ? {} : { sequence: position.sequence }) },
  });

  /** An update that comes after its bot's deletion, from senders whose order nothing keeps, brings nothing back. */
  const isLate = async (id: string, { wish, by }: FoldedWish): Promise<boolean> => {
    if (wish.kind !== 'update' || by.position !== undefined) return false;
    const record = await specs.read(id);
    const deletedAt = record?.document === null ? record.asked?.at : undefined;
    return deletedAt !== undefined && by.at - deletedAt < LATE_MS;
  };

  const apply = async (id: string, folded: FoldedWish): Promise<void> => {
    mayAct();
    if (await isLate(id, folded)) {
      logger.info('ignored a late update of a deleted bot', { bot: id });
      return;
    }
    const { wish, by, last } = folded;
    try {
      const outcome = await specs.applyWish(id, wish, askedBy(by), last.position);
      logger.debug('spec changed by a message', {
        bot: id,
        kind: wish.kind,
        outcome,
        sequence: last.position?.sequence,
      });
    } catch (thrown) {
      const error = toDroverError(thrown);
      // Rejected for what it is: it would be so for ever.
      if (error.class !== 'rejected') throw error;
      await bury(by, error.message);
    }
  };

  const applyAll = async (folded: ReadonlyMap<string, readonly FoldedWish[]>): Promise<void> => {
    const queue = [...folded];
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const [id, wishes] = next;
        for (const wish of wishes) await apply(id, wish);
      }
    };
    await Promise.all(Array.from({ length: Math.min(WRITERS, queue.length) }, lane));
  };

  return {
    reads,
    async onMessages(messages) {
      mayAct();
      const understood: WishMessage[] = [];
      for (const message of messages) {
        if (!reads.subjects.includes(message.subject)) continue;
        const decoded = decode(message.subject, message.data);
        if (decoded.kind === 'malformed') await bury(message, decoded.reason);
        else understood.push({ decoded, message });
      }
      const folded = foldWishes(understood);
      await applyAll(folded);
      if (messages.length > 1) logger.info('messages stored', { messages: messages.length, [reads.of]: folded.size });
    },
    startsAtNow: async () => (await specs.readFleet()).records.some(({ document }) => document !== null),
  };
};
