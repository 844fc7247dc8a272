/** What a bot remembers of its state and logs: the storage part of {@link amend}. Reads only event and context. */
import type { StorageEvent, Unsynced } from '../domain/bot-event.ts';
import type { BotContext, KeptStatus, StorageState } from '../domain/bot-state.ts';
import { assertNever } from '../domain/errors.ts';

const UNKNOWN: KeptStatus = { status: 'unknown', since: 0 };
const EMPTY: StorageState = { state: UNKNOWN, logs: UNKNOWN, overLimit: [], droppedBytes: 0 };

export const storageOf = ({ storage }: BotContext): StorageState => storage ?? EMPTY;

/** The context with another storage part. */
export const withStorage = (context: BotContext, change: Partial<StorageState>): Partial<BotContext> => ({
  storage: { ...storageOf(context), ...change },
});

const without = <K extends keyof StorageState>(storage: StorageState, key: K): Omit<StorageState, K> => {
  const { [key]: _gone, ...rest } = storage;
  return rest;
};

/** The storage part with `which` no longer waiting on the volume. */
const cleared = (storage: StorageState, which: keyof Unsynced): StorageState => {
  const { unsynced } = storage;
  if (unsynced === undefined) return storage;
  const left = { ...unsynced, [which]: false };
  return left.state || left.logs ? { ...storage, unsynced: left } : without(storage, 'unsynced');
};

/** A container ended; `unsynced` is what its last sync left on the volume. */
export const leftUnsynced = (context: BotContext, at: number, unsynced: Unsynced | undefined): Partial<BotContext> => {
  if (unsynced === undefined || context.container === null) return {};
  const before = storageOf(context).unsynced;
  const { attempt } = context.container;
  return withStorage(context, {
    unsynced: {
      state: unsynced.state || before?.state === true,
      logs: unsynced.logs || before?.logs === true,
      attempt,
      tries: 0,
      retryAt: at,
    },
  });
};

/** All that waited on the volume is stored. */
export const volumeSynced = (context: BotContext, at: number, snapshot: StorageState['snapshot']): StorageState => ({
  ...without(storageOf(context), 'unsynced'),
  state: { status: 'kept', since: at },
  logs: { status: 'kept', since: at },
  ...(snapshot === undefined ? {} : { snapshot }),
});

export const pressureGone = (context: BotContext): StorageState => without(storageOf(context), 'pressure');

const afterStorage = (storage: StorageState, event: StorageEvent): StorageState => {
  const { at } = event;
  switch (event.type) {
    case 'StateRestored': {
      // Of the new container nothing is known yet; what the one before it could not store lies on the same volume.
      const { snapshot = storage.snapshot } = event;
      const state: KeptStatus = event.storeReachable
        ? { status: 'unknown', since: at }
        : {
            status: 'unknown',
            since: at,
            code: 'STORAGE_UNAVAILABLE',
            detail: 'the bot started from its volume, because the archive store did not answer',
          };
      return {
        ...storage,
        restoredBy: event.ref.id,
        state,
        logs: { status: 'unknown', since: at },
        droppedBytes: 0,
        ...(snapshot === undefined ? {} : { snapshot }),
      };
    }
    case 'StateEditedOutside':
      return { ...storage, editedBy: event.ref.id };
    case 'StateSynced': {
      const { snapshot = storage.snapshot } = event;
      return {
        ...cleared(storage, 'state'),
        state: { status: 'kept', since: at },
        ...(snapshot === undefined ? {} : { snapshot }),
      };
    }
    case 'StateSyncFailed':
      return { ...storage, state: { status: 'failing', since: at, code: event.code, detail: event.detail } };
    case 'StateOverLimit':
      return { ...storage, overLimit: event.files };
    case 'LogsShipped':
      return { ...cleared(storage, 'logs'), logs: { status: 'kept', since: at } };
    case 'LogsShippingFailed':
      return { ...storage, logs: { status: 'failing', since: at, code: event.code, detail: event.detail } };
    case 'LogsDropped':
      return { ...storage, droppedBytes: event.bytes };
    case 'CodeEntriesSkipped':
      return {
        ...storage,
        skippedCode: { skipped: event.skipped, entries: event.entries, by: event.ref.id, since: at },
      };
    default:
      return assertNever(event);
  }
};

export const amendStorage = (context: BotContext, event: StorageEvent): Partial<BotContext> => ({
  storage: afterStorage(storageOf(context), event),
});
