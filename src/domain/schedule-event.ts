/**
 * Everything that can happen to a schedule, as facts and intents. Each carries the results of decisions, never the settings
 * they were taken with; `at` and all instants are epoch milliseconds. A run's container has a log of its own.
 */
import type { ExitClass } from './bot-event.ts';
import type { RunTerms } from './schedule-policy.ts';

export type Trigger = 'slot' | 'catchUp' | 'manual' | 'backfill';
export type RunOutcome = 'succeeded' | 'failed' | 'timedOut' | 'replaced' | 'stopped';
/** `nextSlot`: it waited for another try when the next slot came. */
export type RunStopReason = 'timedOut' | 'replaced' | 'nextSlot' | 'disabled' | 'drained' | 'deleted';
/** Why slots did not run. */
export type PassReason = 'missed' | 'deadline' | 'overlap' | 'paused' | 'alreadyRan';
export type DropReason = 'replaced' | 'deadline' | 'disabled' | 'drained' | 'deleted';

interface At {
  readonly at: number;
}
interface OnRun extends At {
  readonly key: string;
}
interface Asked extends At {
  readonly requestId: string;
  readonly actor: string;
}
/** Slots that follow one another, both ends inclusive. */
export interface SlotRange {
  readonly from: number;
  readonly to: number;
}
/** A run of a backfill. */
export interface ClaimedRun {
  readonly key: string;
  readonly scheduledAt: number;
}
type Named<T extends string, P> = { readonly type: T } & Readonly<P>;

export type ScheduleWishEvent =
  | Named<'ScheduleCreated', At & { incarnation: number }>
  /** `cron`: the canonical meaning. `anew`: it means other slots than before; they count from now on. */
  | Named<'ScheduleChanged', At & { generation: number; hash: string; version: string; cron: string; anew: boolean }>
  | Named<'ScheduleRejected', At & { code: string; reason: string }>
  | Named<'ScheduleAccepted', At>
  | Named<'ScheduleEnabled', At>
  | Named<'ScheduleDisabled', At & { reason: 'document' | 'drain' }>
  | Named<'ScheduleDeletionRequested', At>
  | Named<'ScheduleDeleted', At>
  /** By a person with a note, or by itself after failures in a row. */
  | Named<'SchedulePaused', At & { author: string; note: string; until?: number; requestId?: string }>
  | Named<'ScheduleResumed', At & { author: string; requestId?: string }>
  /** Claims all its runs at once. `refused`: how many of its slots had been claimed before. */
  | Named<'BackfillAccepted', Asked & { from: number; to: number; runs: readonly ClaimedRun[]; refused: number }>
  | Named<'RequestRefused', Asked & { reason: string }>;

export type RunEvent =
  /** The slot is this run's and nobody else's; `dueAt` is the slot with its jitter. */
  | Named<
      'RunClaimed',
      OnRun & { scheduledAt: number; dueAt: number; trigger: Trigger; requestId?: string; actor?: string }
    >
  /** Slots that did not run: a range, both ends inclusive. `count` is the least there are when `more` is set. */
  | Named<'SlotsPassed', At & { from: number; to: number; count: number; more?: true; reason: PassReason }>
  /** The clock was ahead and is corrected by so much: slots count from now, without those that have a run already. */
  | Named<'SlotsSetBack', At & { byMs: number; ran: readonly SlotRange[] }>
  /** Claimed, and given up before its container was wished. */
  | Named<'RunDropped', OnRun & { reason: DropReason }>
  /**
   * From now on its container is wished. `writes`: it alone writes the state. `attempt`: numbers of its starts are higher.
   * `terms`: what decides about it, whatever becomes of the document; absent in old logs.
   */
  | Named<'RunBegun', OnRun & { writes: boolean; attempt: number; terms?: RunTerms }>
  /** Its container runs for the first time. */
  | Named<'RunStarted', OnRun & { startedAt: number; latenessMs: number; late: boolean }>
  | Named<'RunStopRequested', OnRun & { reason: RunStopReason }>
  | Named<
      'RunEnded',
      OnRun & {
        outcome: RunOutcome;
        exitClass: ExitClass | null;
        exitCode: number | null;
        /** Starts of its container. */
        attempts: number;
        /** The highest number of a start. */
        attempt: number;
        endedAt: number;
        detail?: string;
        unsynced?: true;
      }
    >
  /** Runs that are listed no more, and how many of them counted as what. */
  | Named<'RunsForgotten', At & { keys: readonly string[]; succeeded: number; failed: number }>;

export type ScheduleEvent = ScheduleWishEvent | RunEvent;
export type ScheduleEventType = ScheduleEvent['type'];

export const SCHEDULE_EVENT_SCHEMA = 1;

const STREAM_PREFIX = 'schedule:';
export const scheduleStream = (id: string): string => `${STREAM_PREFIX}${id}`;
export const scheduleOfStream = (stream: string): string | undefined =>
  stream.startsWith(STREAM_PREFIX) ? stream.slice(STREAM_PREFIX.length) : undefined;
