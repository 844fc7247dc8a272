/** The log. Two adapters pass one contract suite: embedded (SQLite) and MongoDB. */
import type { Commit, NewCommit } from '../domain/recorded.ts';

export interface EventStore {
  /**
   * Durable before it resolves. All events of the commit or none.
   * A `commandId` already stored in this stream returns the stored commit and writes nothing.
   * @throws DroverError VERSION_CONFLICT when the stream is not at `expectedVersion`
   * @throws DroverError STORE_UNAVAILABLE when it cannot be known whether it was written: read before retrying
   */
  append(commit: NewCommit): Promise<Commit>;
  /** Commits of one stream that hold versions ≥ `fromVersion` (the first may begin earlier), in order. */
  read(stream: string, fromVersion?: number): Promise<readonly Commit[]>;
  /** Commits with position > `after`, in order, at most `limit`. @throws DroverError STORE_CORRUPT at a hole */
  readAll(after: number, limit: number): Promise<readonly Commit[]>;
  /** Every commit after `after`, first the stored then the new ones, without gap or duplicate, until aborted. */
  feed(after: number, signal: AbortSignal): AsyncIterable<Commit>;
  /** Position of the newest commit; 0 when there is none. */
  head(): Promise<number>;
  /** Current version of every stream whose name begins so. */
  streams(prefix?: string): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}
