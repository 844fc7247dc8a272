/** What keeping one bot's state needs to know. */
import type { StateArchives } from '../../ports/state-archives.ts';

export interface StateKeeperOptions {
  readonly archives: StateArchives;
  readonly botId: string;
  readonly incarnation: number;
  readonly attempt: number;
  readonly statePath: string;
  /** The volume that holds marker and index. */
  readonly the0Path: string;
  readonly limits: { readonly totalBytes: number; readonly fileBytes: number };
  /** Snapshots kept. */
  readonly keep: number;
  readonly now: () => number;
  /** A line for people. */
  readonly tell: (line: string) => void;
}
