/** What the transfer process needs of the parts that store state and logs. Small, so that tests bring their own. */
import type { StoreAccess } from '../../domain/store-access.ts';
import type { LogsReport, RestoreReport, StateReport } from '../../domain/sync-report.ts';
import type { ViewSource } from '../state/view-state.ts';

export interface StateWorker {
  restore(): Promise<RestoreReport>;
  sync(options: { readonly final: boolean }): Promise<StateReport>;
}

export interface LogsWorker {
  ship(options: { readonly final: boolean }): Promise<LogsReport>;
}

export interface Workers {
  readonly state: StateWorker;
  readonly logs: LogsWorker;
}

/** Brings a state of the archive store to be read; says what it is. */
export type View = (source: ViewSource, access: StoreAccess) => Promise<string>;

/** `access` undefined: no keys yet; every call to the archive store fails as unreachable. */
export type OpenWorkers = (access: StoreAccess | undefined) => Promise<Workers>;
