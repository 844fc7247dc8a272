/** A cache of folds: deletable at any time, ignored when the machine's version differs (architecture §6 rule 6). */
import type { BotContext, StatePath } from '../domain/bot-state.ts';

export interface Snapshot {
  readonly stream: string;
  /** Version of the stream the fold includes. */
  readonly version: number;
  readonly machineVersion: number;
  readonly at: StatePath;
  readonly context: BotContext;
}

export interface SnapshotStore {
  save(snapshots: readonly Snapshot[]): Promise<void>;
  loadAll(): Promise<readonly Snapshot[]>;
  clear(): Promise<void>;
}
