/**
 * Everything that can happen to a bot, as facts (past tense) and intents (`…Requested`). These are the machine's only
 * events. Each carries the results of decisions, never the settings they were taken with; `at` is epoch milliseconds.
 */
import type { StartTerms } from './bot.ts';
import type { StopSignal } from './effect.ts';
import type { ErrorClass, ErrorCode } from './errors.ts';
import type { InstanceRef } from './observation.ts';
import type { CodeReport, RestoreReport, SnapshotId } from './sync-report.ts';

/** Feature C5. Decided in `machines/classify-exit.ts`, outside the statechart. */
export type ExitClass =
  'completed' | 'appError' | 'oom' | 'stoppedByUs' | 'killedByOthers' | 'startError' | 'engineLost';

export type StopReason = 'disabled' | 'drained' | 'deleted' | 'specChanged' | 'requested';
export type GiveUpReason = 'crashLoop' | 'terminal' | 'restartPolicy';

interface At {
  readonly at: number;
}
interface OnContainer extends At {
  readonly ref: InstanceRef;
}
interface Failure extends At {
  readonly code: ErrorCode;
  readonly class: ErrorClass;
  readonly detail: string;
}
/** A container as its labels describe it. */
export interface ContainerIdentity extends OnContainer {
  readonly attempt: number;
  readonly incarnation: number;
  readonly generation: number;
  readonly specHash: string;
}
/** What a container left on its volume alone when it ended. */
export interface Unsynced {
  readonly state: boolean;
  readonly logs: boolean;
}
interface Asked extends At {
  readonly requestId: string;
  readonly actor: string;
  readonly reason: string;
  /** Ids of other requests for the same, which this event takes with it. */
  readonly also?: readonly string[];
}

type Named<T extends string, P> = { readonly type: T } & Readonly<P>;

/** What is wished. */
export type WishEvent =
  /** `attempt`: numbers of its starts are higher, for the run of a schedule, whose runs count on. */
  | Named<'BotCreated', At & { incarnation: number; attempt?: number; readsOnly?: true }>
  | Named<'SpecChanged', At & { generation: number; hash: string; version: string }>
  | Named<'SpecRejected', At & { code: string; reason: string }>
  | Named<'SpecAccepted', At>
  | Named<'BotEnabled', At>
  | Named<'BotDisabled', At & { reason: 'document' | 'drain' }>
  | Named<'BotDeletionRequested', At>
  | Named<'RestartRequested', Asked>
  | Named<'ResetRequested', Asked>;

/** What the engine showed. */
export type ContainerEvent =
  /** `codeDigest`: SHA-256 of the code archive that was pinned. */
  | Named<'ContainerCreated', ContainerIdentity & { codeDigest?: string }>
  | Named<'ContainerStarted', OnContainer & { startedAt: number }>
  /** Found alive without our having recorded its start: after a crash of the controller, or a start by hand. */
  | Named<'ContainerAdopted', ContainerIdentity & { startedAt: number; deliver?: true }>
  /** Found without a process where none was expected; it is removed before anything starts. */
  | Named<'LeftoverFound', ContainerIdentity & { live: boolean }>
  | Named<'ContainerPaused', OnContainer>
  | Named<'ContainerUnpaused', OnContainer>
  /** `deliver`: what it read once and removed at its first start is to be brought again. */
  | Named<'ContainerRestarted', OnContainer & { startedAt: number; deliver?: true }>
  | Named<
      'ContainerExited',
      OnContainer & {
        exitCode: number;
        class: ExitClass;
        /** Trying again cannot help. */
        terminal: boolean;
        /** Code of the error table when the exit report, or the engine, names one. */
        code?: ErrorCode;
        detail?: string;
        finishedAt: number;
        logTail: readonly string[];
        /** What the last sync did not bring into the archive store. Absent: all is there. */
        unsynced?: Unsynced;
        /** Tried again like a crash, and not counted as one: it lies outside the bot. */
        blameless?: true;
        /** Of a run whose container was never seen running. */
        startedAt?: number;
        /** A start of this number has stored state: ours must come after it. */
        newestAttempt?: number;
      }
    >
  | Named<'ContainerVanished', OnContainer & { unsynced?: Unsynced }>
  | Named<'ContainerRemoved', OnContainer>
  /** `install`: that of another drover; absent: of the0. */
  | Named<'ForeignInstanceFound', OnContainer & { install?: string }>
  | Named<'ForeignInstanceGone', At>
  | Named<'BecameHealthy', At & { afterMs: number }>;

/** What became of code, state and logs, as the runtime inside reports it. */
export type StorageEvent =
  | Named<'StateRestored', OnContainer & RestoreReport>
  /** `<botId>/state.tar.gz` was written by somebody else; its `.the0-state` won, `former` is what it replaced. */
  | Named<'StateEditedOutside', OnContainer & { former?: SnapshotId }>
  | Named<'StateSynced', OnContainer & { snapshot?: SnapshotId; final: boolean }>
  | Named<'StateSyncFailed', OnContainer & { code: ErrorCode; detail: string }>
  /** The largest files over the limits of contract §4; none: all are within them again. */
  | Named<'StateOverLimit', OnContainer & { files: readonly { readonly path: string; readonly bytes: number }[] }>
  | Named<'LogsShipped', OnContainer & { final: boolean }>
  | Named<'LogsShippingFailed', OnContainer & { code: ErrorCode; detail: string }>
  /** Output that could not be shipped before its rotation; bytes since the container started. */
  | Named<'LogsDropped', OnContainer & { bytes: number }>
  /** The archive holds entries that cannot be unpacked, such as links; `entries` names some of them. */
  | Named<'CodeEntriesSkipped', OnContainer & CodeReport>;

/** What became of an effect. */
export type OutcomeEvent =
  /** State and logs of a container that is gone were stored from its volume. */
  | Named<'VolumeSynced', At & { attempt: number; snapshot?: SnapshotId }>
  | Named<'VolumeSyncFailed', Failure & { attempt: number; retryAt: number }>
  | Named<'ConfigurationDelivered', OnContainer>
  | Named<'ConfigurationDeliveryFailed', Failure & { ref: InstanceRef; notBefore: number }>
  | Named<'ContainerCreateFailed', Failure & { attempt: number }>
  | Named<'ContainerStartFailed', Failure & { attempt: number }>
  | Named<'StopSignalSent', OnContainer & { signal: StopSignal }>
  | Named<'ContainerStopFailed', Failure & { ref: InstanceRef; notBefore: number }>
  | Named<'ContainerRemoveFailed', Failure & { ref: InstanceRef; notBefore: number }>;

/** What was decided. */
export type IntentEvent =
  /** `terms`: what decides about its end while the document is gone or cannot be understood; absent in old logs. */
  | Named<
      'ContainerStartRequested',
      At & { attempt: number; generation: number; hash: string; deadline: number; terms?: StartTerms }
    >
  | Named<
      'ContainerStopRequested',
      OnContainer & { reason: StopReason; graceMs: number; killAt: number; deadline: number }
    >
  | Named<'RetryScheduled', At & { notBefore: number; delayMs: number; streak: number }>
  | Named<'GaveUp', At & { reason: GiveUpReason; crashes: number; windowMs: number }>
  | Named<'StartTimedOut', At & { attempt: number }>
  | Named<'StopTimedOut', OnContainer>
  /** A start that is due waits for disk space under the engine; `free` is its share, 0 to 1. */
  | Named<'HostPressureFound', At & { free: number }>
  | Named<'HostPressureGone', At>
  /** What the log has noted lies ahead of the clock by so much: deadlines count from now. */
  | Named<'ClockSetBack', At & { byMs: number }>
  /** A start that is wished no more before its container existed. */
  | Named<'StartCancelled', At>
  /** The bot ended by itself and its restart policy wants no more. */
  | Named<'BotCompleted', At & { exitCode: number }>
  /** At rest, rightly not running. */
  | Named<'BotStopped', At>
  | Named<'BotDeleted', At>;

export type BotEvent = WishEvent | ContainerEvent | StorageEvent | OutcomeEvent | IntentEvent;
export type BotEventType = BotEvent['type'];

/** Schema number written on each new event; `machines/upcast.ts` reads older ones. */
export const BOT_EVENT_SCHEMA = 1;

const STREAM_PREFIX = 'bot:';
export const botStream = (id: string): string => `${STREAM_PREFIX}${id}`;
export const botOfStream = (stream: string): string | undefined =>
  stream.startsWith(STREAM_PREFIX) ? stream.slice(STREAM_PREFIX.length) : undefined;
