/** Appends that wait at the same time go out together, in the order of their asking. */
import type { Commit } from '../../domain/recorded.ts';
import type { PreparedAppend } from './prepare-append.ts';

export interface Waiting {
  readonly append: PreparedAppend;
  resolve(commit: Commit): void;
  reject(error: unknown): void;
}

/** Bounds of one write: appends, and characters of their text. */
const MAX_APPENDS = 256;
const MAX_CHARACTERS = 8_000_000;

export interface GroupAppend {
  append(append: PreparedAppend): Promise<Commit>;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

const takeBatch = (waiting: Waiting[], oneEach: boolean): readonly Waiting[] => {
  const streams = new Set<string>();
  const batch: Waiting[] = [];
  let characters = 0;
  for (const entry of waiting) {
    const { stream, texts } = entry.append;
    if (oneEach && streams.has(stream)) continue;
    characters += texts.events.length;
    if (batch.length > 0 && (characters > MAX_CHARACTERS || batch.length >= MAX_APPENDS)) break;
    streams.add(stream);
    batch.push(entry);
  }
  const taken = new Set(batch);
  waiting.splice(0, waiting.length, ...waiting.filter((entry) => !taken.has(entry)));
  return batch;
};

export interface GroupAppendOptions {
  /** Settles every entry. Never rejects. */
  readonly write: (batch: readonly Waiting[]) => Promise<void>;
  /** Of one stream only one at a time: for stores that cannot see their own write before it is done. */
  readonly oneEach: boolean;
}

export const createGroupAppend = ({ write, oneEach }: GroupAppendOptions): GroupAppend => {
  const waiting: Waiting[] = [];
  let working: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) await write(takeBatch(waiting, oneEach));
    working = undefined;
  };
  return {
    append: (append) =>
      new Promise((resolve, reject) => {
        waiting.push({ append, resolve, reject });
        // A turn later: what is asked in the same turn goes out together.
        working ??= Promise.resolve().then(drain);
      }),
    idle: async () => {
      while (working !== undefined) await working;
    },
  };
};
