/**
 * Everything that can happen to a bot, as facts (past tense) and intents (`…Requested`). These are the machine's only
 * events. Each carries the results of decisions, never the settings they were taken with; `at` is epoch milliseconds.
 */
import type { StopSignal } from './effect.ts';
import type { ErrorClass, ErrorCode } from './errors.ts';
import type { InstanceRef } from './observation.ts';

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
interface Asked extends At {
  readonly requestId: string;
  readonly actor: string;
  readonly reason: string;
}

type Named<T extends string, P> = { readonly type: T } & Readonly<P>;

/** What is wished. */
export type WishEvent =
  | Named<'BotCreated', At & { incarnation: number }>
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
  | Named<'ContainerCreated', ContainerIdentity>
  | Named<'ContainerStarted', OnContainer & { startedAt: number }>
  /** Found alive without our having recorded its start: after a crash of the controller, or a start by hand. */
  | Named<'ContainerAdopted', ContainerIdentity & { startedAt: number }>
  /** Found without a process where none was expected; it is removed before anything starts. */
  | Named<'LeftoverFound', ContainerIdentity & { live: boolean }>
  | Named<'ContainerPaused', OnContainer>
  | Named<'ContainerUnpaused', OnContainer>
  | Named<'ContainerRestarted', OnContainer & { startedAt: number }>
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
      }
    >
  | Named<'ContainerVanished', OnContainer>
  | Named<'ContainerRemoved', OnContainer>
  | Named<'ForeignInstanceFound', OnContainer>
  | Named<'ForeignInstanceGone', At>
  | Named<'BecameHealthy', At & { afterMs: number }>;

/** What became of an effect. */
export type OutcomeEvent =
  | Named<'ContainerCreateFailed', Failure & { attempt: number }>
  | Named<'ContainerStartFailed', Failure & { attempt: number }>
  | Named<'StopSignalSent', OnContainer & { signal: StopSignal }>
  | Named<'ContainerStopFailed', Failure & { ref: InstanceRef; notBefore: number }>
  | Named<'ContainerRemoveFailed', Failure & { ref: InstanceRef; notBefore: number }>;

/** What was decided. */
export type IntentEvent =
  | Named<'ContainerStartRequested', At & { attempt: number; generation: number; hash: string; deadline: number }>
  | Named<
      'ContainerStopRequested',
      OnContainer & { reason: StopReason; graceMs: number; killAt: number; deadline: number }
    >
  | Named<'RetryScheduled', At & { notBefore: number; delayMs: number; streak: number }>
  | Named<'GaveUp', At & { reason: GiveUpReason; crashes: number; windowMs: number }>
  | Named<'StartTimedOut', At & { attempt: number }>
  | Named<'StopTimedOut', OnContainer>
  /** A start that is wished no more before its container existed. */
  | Named<'StartCancelled', At>
  /** The bot ended by itself and its restart policy wants no more. */
  | Named<'BotCompleted', At & { exitCode: number }>
  /** At rest, rightly not running. */
  | Named<'BotStopped', At>
  | Named<'BotDeleted', At>;

export type BotEvent = WishEvent | ContainerEvent | OutcomeEvent | IntentEvent;
export type BotEventType = BotEvent['type'];

/** Schema number written on each new event; `machines/upcast.ts` reads older ones. */
export const BOT_EVENT_SCHEMA = 1;

const STREAM_PREFIX = 'bot:';
export const botStream = (id: string): string => `${STREAM_PREFIX}${id}`;
export const botOfStream = (stream: string): string | undefined =>
  stream.startsWith(STREAM_PREFIX) ? stream.slice(STREAM_PREFIX.length) : undefined;
