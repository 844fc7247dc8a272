/** The logs and state buckets as the collection of garbage needs them. Nothing here reaches any other bucket. */
import type { SweptBucket } from '../domain/garbage.ts';

export interface SweptObject {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Epoch milliseconds, by the server's clock. */
  readonly modified: number;
}

export interface UnfinishedUpload {
  readonly bucket: SweptBucket;
  readonly key: string;
  readonly uploadId: string;
  /** Epoch milliseconds, by the server's clock. */
  readonly begun: number;
}

export interface StoredNote {
  readonly text: string;
  /** Of this very content. */
  readonly tag: string;
}

/** Every call throws DroverError ARCHIVE_UNAVAILABLE or ARCHIVE_FORBIDDEN. A bucket that is not there is empty. */
export interface ObjectSweeper {
  /** Page by page; throws when a page cannot be had, so that whoever reads to the end has seen all. */
  objects(bucket: SweptBucket, prefix: string): AsyncIterable<readonly SweptObject[]>;
  uploads(bucket: SweptBucket): Promise<readonly UnfinishedUpload[]>;
  /** Exactly these keys; what is gone already counts as removed. Returns those that the server would not remove, and why. */
  remove(
    bucket: SweptBucket,
    keys: readonly string[],
  ): Promise<readonly { readonly key: string; readonly why: string }[]>;
  /** One that is gone already is no error. */
  abort(upload: UnfinishedUpload): Promise<void>;
  readNote(): Promise<StoredNote | undefined>;
  /** Only over the content with this tag, or where there is none. Returns the new tag; undefined: somebody else was faster. */
  writeNote(text: string, over: string | undefined): Promise<string | undefined>;
}
