/** One bot's state in the archive store: numbered snapshots with manifests, the reference's archive, an operator's choice. */
import type { Readable } from 'node:stream';
import type { SnapshotId } from '../domain/sync-report.ts';
import type { OpenArchive } from './archive-store.ts';

/** `<botId>/state.tar.gz`, which the reference's readers and writers know. */
export interface LegacyArchive {
  readonly etag: string;
  /** The snapshot that it was made from by us; absent when somebody else wrote it. */
  readonly snapshot?: SnapshotId;
}

/** Every call throws DroverError ARCHIVE_UNAVAILABLE or ARCHIVE_FORBIDDEN; "not there" is `undefined`, never an error. */
export interface StateArchives {
  /** Those whose manifest is stored, oldest first: attempt, then sequence. */
  list(): Promise<readonly SnapshotId[]>;
  manifest(id: SnapshotId): Promise<string | undefined>;
  open(id: SnapshotId): Promise<OpenArchive | undefined>;
  /** Bytes of a snapshot as it is stored. */
  sizeOf(id: SnapshotId): Promise<number | undefined>;
  /** Whole or not at all. No reader takes it for a snapshot before its manifest is there. */
  put(id: SnapshotId, content: Readable): Promise<void>;
  putManifest(id: SnapshotId, text: string): Promise<void>;
  /** Archives without a manifest: uploads that broke off, or removals. Oldest first. */
  strays(): Promise<readonly SnapshotId[]>;
  /** Manifest first: what is half removed is no snapshot. */
  remove(id: SnapshotId): Promise<void>;
  legacy(): Promise<LegacyArchive | undefined>;
  openLegacy(): Promise<OpenArchive | undefined>;
  /**
   * Makes a snapshot the archive for the reference's readers. False when that was written by somebody else meanwhile, and is
   * not the one with the etag `accepted`: then it stays as it is.
   */
  promote(id: SnapshotId, accepted: string | undefined): Promise<boolean>;
  /** Moves the archive of an earlier incarnation out of the way; it is kept beside. */
  setLegacyAside(): Promise<void>;
  choice(): Promise<string | undefined>;
  putChoice(text: string): Promise<void>;
  dropChoice(): Promise<void>;
}

/** Of all names below the bot's prefix. */
export const straysAmong = (names: readonly string[]): readonly SnapshotId[] => {
  const whole = new Set(names);
  return names
    .map(snapshotOfArchive)
    .filter((id): id is SnapshotId => id !== undefined && !whole.has(STATE_NAMES.manifest(id)))
    .sort(compareSnapshots);
};

const DIGITS = 10;
const padded = (value: number): string => String(value).padStart(DIGITS, '0');

/** Names below `<botId>/`; their order is the order of the snapshots. */
export const STATE_NAMES = {
  snapshot: ({ attempt, sequence }: SnapshotId): string => `a${padded(attempt)}/s${padded(sequence)}.tar.gz`,
  manifest: ({ attempt, sequence }: SnapshotId): string => `a${padded(attempt)}/s${padded(sequence)}.json`,
  legacy: 'state.tar.gz',
  aside: 'earlier-state.tar.gz',
  choice: 'restore.json',
} as const;

/** The snapshot whose manifest has this name, or undefined. */
export const snapshotOfManifest = (name: string): SnapshotId | undefined => {
  const found = /^a(\d{10})\/s(\d{10})\.json$/.exec(name);
  return found === null ? undefined : { attempt: Number(found[1]), sequence: Number(found[2]) };
};

/** The snapshot whose archive has this name, or undefined. */
export const snapshotOfArchive = (name: string): SnapshotId | undefined => {
  const found = /^a(\d{10})\/s(\d{10})\.tar\.gz$/.exec(name);
  return found === null ? undefined : { attempt: Number(found[1]), sequence: Number(found[2]) };
};

export const compareSnapshots = (a: SnapshotId, b: SnapshotId): number =>
  a.attempt - b.attempt || a.sequence - b.sequence;
