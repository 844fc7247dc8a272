/** Appends that wait at the same time go out in one transaction: one fsync for all of them (architecture §5). */
import { DroverError } from '../../domain/errors.ts';
import type { Commit } from '../../domain/recorded.ts';
import type { EmbeddedDatabase } from './open-database.ts';
import type { PreparedAppend } from '../common/prepare-append.ts';
import { writeAppends, type WriterStamp } from './write-appends.ts';

/** Bounds of one transaction: appends, and characters of their text. */
const MAX_APPENDS = 256;
const MAX_CHARACTERS = 8_000_000;

interface Waiting {
  readonly append: PreparedAppend;
  resolve(commit: Commit): void;
  reject(error: unknown): void;
}

export interface GroupCommit {
  append(append: PreparedAppend): Promise<Commit>;
  /** Resolves when nothing waits any more. */
  idle(): Promise<void>;
}

const takeBatch = (waiting: Waiting[]): readonly Waiting[] => {
  let characters = 0;
  let count = 0;
  for (const { append } of waiting.slice(0, MAX_APPENDS)) {
    characters += append.texts.events.length;
    if (count > 0 && characters > MAX_CHARACTERS) break;
    count += 1;
  }
  return waiting.splice(0, count);
};

export const createGroupCommit = (db: EmbeddedDatabase, stamp: WriterStamp): GroupCommit => {
  const waiting: Waiting[] = [];
  let working: Promise<void> | undefined;

  const settle = async (batch: readonly Waiting[]): Promise<void> => {
    const appends = batch.map((entry) => entry.append);
    let results: readonly (Commit | DroverError)[];
    try {
      results = await db.write((sql) => writeAppends(sql, appends, stamp));
    } catch (thrown) {
      // Nothing was written. One append that the disk cannot take must not harm those that went with it; the command
      // ids are minted already, so trying again cannot write twice.
      if (batch.length > 1) for (const entry of batch) await settle([entry]);
      else batch[0]?.reject(thrown);
      return;
    }
    for (const [index, entry] of batch.entries()) {
      const result = results[index];
      if (result === undefined || result instanceof DroverError) entry.reject(result);
      else entry.resolve(result);
    }
    db.appended.ring();
  };

  const drain = async (): Promise<void> => {
    while (waiting.length > 0) await settle(takeBatch(waiting));
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
