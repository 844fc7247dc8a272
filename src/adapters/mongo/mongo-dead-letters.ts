/** Messages that could not be understood, kept beside the wishes. */
import { randomUUID } from 'node:crypto';
import { DEAD_LETTERS_KEPT, type DeadLetter, type DeadLetterStore } from '../../ports/dead-letter-store.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { translated } from './mongo-error.ts';

interface Row {
  /** The place in the stream, so that one delivered again is the same record. */
  readonly _id: string;
  readonly at: number;
  readonly letter: DeadLetter;
}

export const createMongoDeadLetters = ({ ours }: MongoConnection): DeadLetterStore => {
  const rows = ours.collection<Row>('dead_letters');
  return {
    add: async (letter) => {
      const { position, at } = letter;
      const _id = position === undefined ? randomUUID() : `${position.stream}/${String(position.sequence)}`;
      await translated(async () => {
        await rows.updateOne({ _id }, { $setOnInsert: { at, letter } }, { upsert: true });
        if (Math.random() > 0.01) return;
        const [oldest] = await rows.find().sort({ at: -1 }).skip(DEAD_LETTERS_KEPT).limit(1).toArray();
        if (oldest !== undefined) await rows.deleteMany({ at: { $lt: oldest.at } });
      });
    },
    list: (limit) =>
      translated(async () => {
        const found = await rows.find().sort({ at: -1, _id: -1 }).limit(limit).toArray();
        return found.map(({ letter }) => letter);
      }),
  };
};
