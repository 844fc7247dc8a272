/** A cache of folds: deletable at any time, ignored when the machine's version differs. */

export interface Snapshot {
  readonly stream: string;
  /** Version of the stream the fold includes. */
  readonly version: number;
  readonly machineVersion: number;
  readonly at: string;
  /** What the fold remembers; only the machine that wrote it reads it. */
  readonly context: { readonly since: number; readonly attempt: number };
}

export interface SnapshotStore {
  save(snapshots: readonly Snapshot[]): Promise<void>;
  loadAll(): Promise<readonly Snapshot[]>;
  clear(): Promise<void>;
}
