/** (state, what the runtime inside reports) → the next fact about code, state and logs, or nothing. Called again until none. */
import type { StorageEvent, Unsynced } from '../domain/bot-event.ts';
import type { BotContext } from '../domain/bot-state.ts';
import type { ObservedContainer } from '../domain/observation.ts';
import type { StateReport, SyncReport } from '../domain/sync-report.ts';
import { storageOf } from './amend-storage.ts';

const AWAY: ReadonlySet<string> = new Set(['STORAGE_UNAVAILABLE', 'ARCHIVE_UNAVAILABLE', 'STATE_UNSYNCED']);

const overLimitText = (files: StateReport['overLimit'] = []): string => files.map(({ path }) => path).join('\n');

const senseState = (context: BotContext, { ref }: ObservedContainer, report: SyncReport, at: number) => {
  const storage = storageOf(context);
  const { status, error, snapshot, at: storedAt, overLimit = [] } = report.state;
  // A bot that never pauses always has changes under way; what counts is that the latest sync went well.
  const isKept = status === 'synced' || (status === 'pending' && storedAt !== undefined);
  const final = report.final?.stateSynced === true;
  if (overLimitText(overLimit) !== overLimitText(storage.overLimit)) {
    return { type: 'StateOverLimit', at, ref, files: overLimit } as const;
  }
  if (isKept && (storage.state.status !== 'kept' || (final && storage.unsynced?.state === true))) {
    return { type: 'StateSynced', at, ref, final, ...(snapshot === undefined ? {} : { snapshot }) } as const;
  }
  // Started from the volume alone, and the store is still away: nobody knows, which is not the same as no (fault R10).
  const isStillAway = storage.state.code === 'STORAGE_UNAVAILABLE' && error !== undefined && AWAY.has(error.code);
  if (status === 'failing' && error !== undefined && storage.state.code !== error.code && !isStillAway) {
    return { type: 'StateSyncFailed', at, ref, ...error } as const;
  }
  return undefined;
};

const senseLogs = (context: BotContext, { ref }: ObservedContainer, { logs, final }: SyncReport, at: number) => {
  const storage = storageOf(context);
  if (logs.droppedBytes > storage.droppedBytes) {
    return { type: 'LogsDropped', at, ref, bytes: logs.droppedBytes } as const;
  }
  if (logs.status === 'shipped' && storage.logs.status !== 'kept') {
    return { type: 'LogsShipped', at, ref, final: final?.logsShipped === true } as const;
  }
  if (logs.status === 'failing' && logs.error !== undefined && storage.logs.code !== logs.error.code) {
    return { type: 'LogsShippingFailed', at, ref, ...logs.error } as const;
  }
  return undefined;
};

/** The daemon writes its report every minute, whatever happens. */
export const REPORT_STALE_MS = 180_000;

/** A bot can end the daemon that stores its state, or put something else in the place of its report. */
const senseSilence = (context: BotContext, { ref, reportSilentMs = 0 }: ObservedContainer, at: number) => {
  const storage = storageOf(context);
  const minutes = String(Math.floor(reportSilentMs / 60_000));
  const detail = `the bot runs, and its sync daemon has reported nothing new for ${minutes} minutes: what it writes may not be stored`;
  const failed = { at, ref, code: 'REPORT_STALE', detail } as const;
  if (storage.state.code !== 'REPORT_STALE') return { type: 'StateSyncFailed', ...failed } as const;
  return storage.logs.code === 'REPORT_STALE' ? undefined : ({ type: 'LogsShippingFailed', ...failed } as const);
};

/** The next difference between the log and the report of the container that is known. */
export const senseStorage = (context: BotContext, seen: ObservedContainer, at: number): StorageEvent | undefined => {
  const { report, ref } = seen;
  if ((seen.reportSilentMs ?? 0) >= REPORT_STALE_MS) return senseSilence(context, seen, at);
  if (report === undefined) return undefined;
  const storage = storageOf(context);
  const { restored } = report;
  if (restored?.editedOutside === true && storage.editedBy !== ref.id) {
    return {
      type: 'StateEditedOutside',
      at,
      ref,
      ...(restored.former === undefined ? {} : { former: restored.former }),
    };
  }
  if (restored !== undefined && storage.restoredBy !== ref.id) return { type: 'StateRestored', at, ref, ...restored };
  const { code } = report;
  if (code !== undefined && storage.skippedCode?.by !== ref.id) return { type: 'CodeEntriesSkipped', at, ref, ...code };
  return senseState(context, seen, report, at) ?? senseLogs(context, seen, report, at);
};

const BEFORE_THE_BOT: ReadonlySet<string> = new Set(['config', 'code', 'state']);

/**
 * What a container that ended left on its volume alone, or undefined. Without a word of its last sync that is everything:
 * it was killed. One that never came to its bot leaves nothing new (feature E3).
 */
export const unsyncedOf = ({ exit, report }: ObservedContainer): Unsynced | undefined => {
  if (exit === undefined) return undefined;
  if (exit.report !== undefined && BEFORE_THE_BOT.has(exit.report.phase)) return undefined;
  if (exit.report === undefined && report === undefined && exit.code >= 125 && exit.code <= 127) return undefined;
  // The daemon's own report tells state from logs.
  const final = report?.final ?? exit.report?.final;
  const left = { state: final?.stateSynced !== true, logs: final?.logsShipped !== true };
  return left.state || left.logs ? left : undefined;
};
