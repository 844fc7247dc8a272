/**
 * What the transfer process is asked, and what it answers. It is a process of its own so that the client of the archive
 * store is in memory only while something is moved: `daemon sync` and `execute` start it and let it end.
 */
import type { StoreAccess } from '../../domain/store-access.ts';
import type { LogsReport, ReportedError, RestoreReport, StateReport } from '../../domain/sync-report.ts';
import type { ViewSource } from '../state/view-state.ts';

export type TransferJob =
  | { readonly kind: 'restore' }
  /** A copy to be read, for a query; nothing is stored. `access` absent: as it was delivered into the container. */
  | { readonly kind: 'view'; readonly source: ViewSource; readonly access?: StoreAccess }
  /** `final`: hash all content, and store what differs; else only what size, mtime, ctime or inode say differs. */
  | { readonly kind: 'state'; readonly final: boolean }
  /** `final`: also a last line without a newline. */
  | { readonly kind: 'logs'; readonly final: boolean };

export type TransferResult =
  | { readonly kind: 'restore'; readonly report: RestoreReport }
  /** What is seen: `none`, `archive`, or a snapshot such as `a3/s7`. */
  | { readonly kind: 'view'; readonly state: string }
  | { readonly kind: 'state'; readonly report: StateReport }
  | { readonly kind: 'logs'; readonly report: LogsReport }
  | { readonly kind: 'failed'; readonly error: ReportedError };

/** Over the IPC channel of a forked process; `id` pairs question and answer, one job at a time. */
export interface TransferQuestion {
  readonly id: number;
  readonly job: TransferJob;
}
export interface TransferAnswer {
  readonly id: number;
  readonly result: TransferResult;
}
