/** The fold of a schedule's log. Plain JSON. What ended long ago is not in it: the log itself holds every run. */
import type { RunOutcome, RunStopReason, SlotRange, Trigger } from './schedule-event.ts';
import type { RunTerms } from './schedule-policy.ts';

export type SchedulePath = 'disabled' | 'armed' | 'paused' | 'deleted';

/** A run that is claimed and has not ended. */
export interface ActiveRun {
  readonly key: string;
  readonly scheduledAt: number;
  readonly dueAt: number;
  readonly trigger: Trigger;
  readonly claimedAt: number;
  /** Null: it waits for its turn. */
  readonly begunAt: number | null;
  readonly writes: boolean;
  /** Numbers of its starts are higher than this. */
  readonly attempt: number;
  readonly startedAt: number | null;
  readonly stop: RunStopReason | null;
  /** From its begin on. Absent of runs that an older drover began: then the document decides. */
  readonly terms?: RunTerms;
}

export interface EndedRun {
  readonly key: string;
  readonly scheduledAt: number;
  readonly outcome: RunOutcome;
  readonly endedAt: number;
  /** State or logs lay on the volume alone when it ended. */
  readonly unsynced?: true;
}

export interface Pause {
  readonly since: number;
  readonly author: string;
  readonly note: string;
  readonly until?: number;
}

export interface ScheduleContext {
  readonly incarnation: number;
  readonly generation: number;
  readonly specHash: string | null;
  readonly specVersion: string | null;
  /** Canonical meaning of its text. */
  readonly cron: string | null;
  readonly wanted: boolean;
  readonly stopReason: 'disabled' | 'drained' | 'deleted' | null;
  readonly deleting: boolean;
  readonly paused: Pause | null;
  readonly rejected: { readonly code: string; readonly reason: string } | null;
  /** When the present state was entered. */
  readonly since: number;
  /** Every slot up to this one is claimed or passed. */
  readonly cursor: number;
  /** Slots after it that have a run already, from when the clock was ahead. */
  readonly ran?: readonly SlotRange[];
  /** The clock was set back, and no slot has run since. */
  readonly clockBack?: { readonly at: number; readonly byMs: number } | null;
  /** Where the beat of `@every` starts. */
  readonly anchorAt: number;
  /** In the order they were claimed. */
  readonly runs: readonly ActiveRun[];
  /** The newest that ended, bounded. */
  readonly ended: readonly EndedRun[];
  /** Ended runs that are listed, by what they count as. */
  readonly listed: { readonly succeeded: number; readonly failed: number };
  readonly failuresInRow: number;
  /** The latest start was later than allowed. */
  readonly late: boolean;
  /** The highest number of a start of any run: state is never stored under an older one. */
  readonly attempt: number;
  /** Of those that wrote the state. */
  readonly writerAttempt: number;
  readonly requests: readonly string[];
}

export interface ScheduleState {
  readonly at: SchedulePath;
  readonly context: ScheduleContext;
}
