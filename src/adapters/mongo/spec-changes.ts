/**
 * Tells of changes to what is wished, in every process: at once in the one that made it; in the others by a short list of
 * changes that each looks at; and, where the server has change streams, also of what other programs edit. All of them are
 * hints: the tick finds what they miss.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeStreamDocument, Document } from 'mongodb';
import { createListeners, type Listeners } from '../common/listeners.ts';
import type { SpecChange } from '../common/spec-change.ts';
import { NOTES, readStoredBot } from './bot-document.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { isDuplicate } from './mongo-error.ts';
import { watchCollection } from './watch-collection.ts';

interface Entry {
  readonly _id: number;
  readonly writer: string;
  readonly changes: readonly { readonly id: string | null; readonly asked: SpecChange['asked'] | null }[];
}

export interface SpecChanges {
  readonly listeners: Pick<Listeners<SpecChange>, 'add'>;
  /** Tells here at once, and the other processes soon. */
  publish(change: SpecChange): void;
  /** Waits for what is being told. */
  close(): Promise<void>;
}

const POLL_MS = 500;
const KEPT = 1_000;
const ANY: SpecChange = { id: undefined, asked: undefined };

export const createSpecChanges = (mongo: MongoConnection, writer: string): SpecChanges => {
  const entries = mongo.ours.collection<Entry>('changes');
  const listeners = createListeners<SpecChange>();
  const closing = new AbortController();
  const hasClosed = (): boolean => closing.signal.aborted;
  const waiting: SpecChange[] = [];
  let seen: number | undefined;
  let writing: Promise<void> | undefined;
  let polling = false;

  const last = async (): Promise<number> => {
    const [newest] = await entries
      .find({}, { projection: { _id: 1 } })
      .sort({ _id: -1 })
      .limit(1)
      .toArray();
    return newest?._id ?? 0;
  };

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const changes = waiting.splice(0, 500).map((change) => ({ id: change.id ?? null, asked: change.asked ?? null }));
      for (let tries = 0; tries < 20; tries += 1) {
        try {
          const next = (await last()) + 1;
          await entries.insertOne({ _id: next, writer, changes });
          if (next % 100 === 0) await entries.deleteMany({ _id: { $lte: next - KEPT } });
          break;
        } catch (thrown) {
          // Another process took the number. Whatever else it is: a hint is not worth waiting for a server.
          if (!isDuplicate(thrown)) break;
          await sleep(Math.random() * 5 * (tries + 1));
        }
      }
    }
    writing = undefined;
  };

  const poll = async (): Promise<void> => {
    if (polling) return;
    polling = true;
    try {
      const from: number = seen ?? (await last());
      const found = await entries
        .find({ _id: { $gt: from } })
        .sort({ _id: 1 })
        .limit(KEPT)
        .toArray();
      seen = found.at(-1)?._id ?? from;
      for (const entry of found) {
        if (entry.writer === writer) continue;
        for (const { id, asked } of entry.changes) listeners.tell({ id: id ?? undefined, asked: asked ?? undefined });
      }
    } catch {
      // Away: the tick says so, and what is missed meanwhile is found when it is back.
    } finally {
      polling = false;
    }
  };

  const onEvent = (event: ChangeStreamDocument): void => {
    const changed = 'updateDescription' in event ? Object.keys(event.updateDescription.updatedFields ?? {}) : undefined;
    const full = 'fullDocument' in event ? (event.fullDocument as Document | undefined) : undefined;
    const bot = full === undefined ? undefined : readStoredBot(full);
    if (bot === undefined) {
      listeners.tell(ANY);
      return;
    }
    const touchesNotes = changed === undefined || changed.some((key) => key === NOTES || key.startsWith(`${NOTES}.`));
    if (touchesNotes && !bot.edited && bot.notes?.writer === writer) return;
    listeners.tell({ id: bot.id, asked: bot.edited ? undefined : bot.notes?.asked });
  };

  const start = async (): Promise<void> => {
    await poll();
    let lost = false;
    watchCollection(mongo.bots, closing.signal, {
      onEvent,
      onState: (works) => {
        if (works && lost) listeners.tell(ANY);
        lost = !works;
      },
    });
    while (!hasClosed()) {
      await sleep(POLL_MS, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      if (!hasClosed()) await poll();
    }
  };
  let started: Promise<void> | undefined;

  return {
    listeners: {
      add: (listener) => {
        started ??= start();
        return listeners.add(listener);
      },
    },
    publish: (change) => {
      listeners.tell(change);
      waiting.push(change);
      writing ??= write();
    },
    close: async () => {
      closing.abort();
      await writing;
      await started;
    },
  };
};
