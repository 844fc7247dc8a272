/** What the runtime inside a container says of state and logs. The controller turns differences into facts and conditions. */
import type { ErrorCode } from './errors.ts';

/** A numbered snapshot of a bot's state. Ordered by attempt, then sequence (feature E4). */
export interface SnapshotId {
  readonly attempt: number;
  readonly sequence: number;
}

/** `a3/s7`: the seventh snapshot of the third start. */
export const snapshotText = ({ attempt, sequence }: SnapshotId): string => `a${String(attempt)}/s${String(sequence)}`;

/** The snapshot that a text like `a3/s7` names, or undefined. */
export const parseSnapshot = (text: string): SnapshotId | undefined => {
  const found = /^a(\d{1,10})\/s(\d{1,10})$/.exec(text);
  return found === null ? undefined : { attempt: Number(found[1]), sequence: Number(found[2]) };
};

export interface ReportedError {
  readonly code: ErrorCode;
  readonly detail: string;
}

/** What of the code archive is not in the bot's folder. */
export interface CodeReport {
  readonly skipped: number;
  /** Some of them, each with its reason. */
  readonly entries: readonly string[];
}

/** Where the state of this start came from. */
export interface RestoreReport {
  readonly source: 'volume' | 'snapshot' | 'archive' | 'chosen' | 'none';
  /** The snapshot that is now on the volume, or that the volume goes on from. */
  readonly snapshot?: SnapshotId;
  /** `<botId>/state.tar.gz` was written by somebody else, and its `.the0-state` was taken over. */
  readonly editedOutside?: true;
  /** The former state, kept as a snapshot before it was replaced. */
  readonly former?: SnapshotId;
  /** False: started from the volume alone, the archive store did not answer. */
  readonly storeReachable: boolean;
}

export interface StateReport {
  /** `unknown`: not tried yet in this start. `pending`: changes are known and not stored yet, and nothing is wrong. */
  readonly status: 'synced' | 'pending' | 'failing' | 'unknown';
  /** The newest snapshot stored. */
  readonly snapshot?: SnapshotId;
  /** When it was last found, or made, up to date; epoch milliseconds. */
  readonly at?: number;
  readonly error?: ReportedError;
  /** Files over the limits of contract §4, the largest first, at most 10: not stored. */
  readonly overLimit?: readonly { readonly path: string; readonly bytes: number }[];
  /** The archive for the reference's readers was edited while the bot runs: left as it is until the next start. */
  readonly editedOutside?: true;
}

export interface LogsReport {
  readonly status: 'shipped' | 'pending' | 'failing' | 'unknown';
  /** Bytes of output dropped because they could not be shipped before rotation. */
  readonly droppedBytes: number;
  readonly error?: ReportedError;
}

/** Content of DELIVERY.syncReport. */
export interface SyncReport {
  readonly attempt: number;
  /** Epoch milliseconds. */
  readonly writtenAt: number;
  /** Present when something of the archive was skipped. */
  readonly code?: CodeReport;
  readonly restored?: RestoreReport;
  readonly state: StateReport;
  readonly logs: LogsReport;
  /** Set by the final sync: did all of it succeed, verified? */
  readonly final?: { readonly stateSynced: boolean; readonly logsShipped: boolean };
  /** Free share of the file system of the volumes, 0 to 1. */
  readonly diskFree?: number;
}
