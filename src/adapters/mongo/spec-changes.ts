/**
 * Tells of changes to what is wished, in every process: at once in the one that made it; in the others by a short list of
 * changes that each looks at; and, where the server has change streams, also of what other programs edit. All of them are
 * hints: the tick finds what they miss.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createListeners, type Listeners } from '../common/listeners.ts';
import { WISH_KINDS, type SpecChange, type WishKind } from '../common/spec-change.ts';
import type { MongoConnection } from './mongo-connection.ts';
import { isDuplicate } from './mongo-error.ts';
import { watchDocuments } from './watch-documents.ts';
import { placeOf } from './wish-place.ts';

interface Told {
  readonly id: string | null;
  readonly asked: SpecChange['asked'] | null;
}

interface Entry {
  readonly _id: number;
  readonly writer: string;
  /** Of bots: a process from before there were schedules looks at these and at nothing else. */
  readonly changes: readonly Told[];
  readonly schedules?: readonly Told[];
}

export interface SpecChanges {
  /** Of one kind. */
  listeners(kind: WishKind): Pick<Listeners<SpecChange>, 'add'>;
  /** Tells those who listen to one of these kinds: here at once, and in the other processes soon. */
  publish(kinds: readonly WishKind[], change: SpecChange): void;
  /** Waits for what is being told. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

interface Waiting extends Told {
  readonly kinds: readonly WishKind[];
}

const POLL_MS = 500;
const KEPT = 1_000;

export const createSpecChanges = (mongo: MongoConnection, writer: string): SpecChanges => {
  const entries = mongo.ours.collection<Entry>('changes');
  const listeners: Readonly<Record<WishKind, Listeners<SpecChange>>> = {
    bots: createListeners(),
    schedules: createListeners(),
  };
  const watched = new Set<WishKind>();
  const closing = new AbortController();
  const hasClosed = (): boolean => closing.signal.aborted;
  const waiting: Waiting[] = [];
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
      const batch = waiting.splice(0, 500);
      const of = (kind: WishKind): readonly Told[] =>
        batch.filter(({ kinds }) => kinds.includes(kind)).map(({ id, asked }) => ({ id, asked }));
      const entry = { writer, changes: of('bots'), schedules: of('schedules') };
      for (let tries = 0; tries < 20; tries += 1) {
        try {
          const next = (await last()) + 1;
          await entries.insertOne({ _id: next, ...entry });
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

  const hear = (kind: WishKind, told: readonly Told[]): void => {
    for (const { id, asked } of told) listeners[kind].tell({ id: id ?? undefined, asked: asked ?? undefined });
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
        hear('bots', entry.changes);
        hear('schedules', entry.schedules ?? []);
      }
    } catch {
      // Away: the tick says so, and what is missed meanwhile is found when it is back.
    } finally {
      polling = false;
    }
  };

  const start = async (): Promise<void> => {
    while (!hasClosed()) {
      await poll();
      await sleep(POLL_MS, undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
    }
  };
  let started: Promise<void> | undefined;

  const watch = (kind: WishKind): void => {
    if (watched.has(kind) || hasClosed()) return;
    watched.add(kind);
    watchDocuments(placeOf(mongo, kind), writer, closing.signal, listeners[kind].tell);
  };

  return {
    listeners: (kind) => ({
      add: (listener) => {
        started ??= start();
        watch(kind);
        return listeners[kind].add(listener);
      },
    }),
    publish: (kinds, change) => {
      for (const kind of WISH_KINDS) if (kinds.includes(kind)) listeners[kind].tell(change);
      waiting.push({ kinds, id: change.id ?? null, asked: change.asked ?? null });
      writing ??= write();
    },
    idle: async () => {
      await writing;
    },
    close: async () => {
      closing.abort();
      await writing;
      await started;
    },
  };
};
