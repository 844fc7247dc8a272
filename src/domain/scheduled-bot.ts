/** What the API shows of a schedule and of its runs, read off their logs. Times are epoch milliseconds. */
import type { ExitClass } from './bot-event.ts';
import type { Condition } from './running-bot.ts';
import type { PassReason, RunOutcome, RunStopReason, Trigger } from './schedule-event.ts';
import type { Pause, SchedulePath } from './schedule-state.ts';

/** `waiting`: claimed, its turn has not come. `dropped`: given up before its container was wished. */
export type RunStatus = 'waiting' | 'starting' | 'running' | 'retrying' | 'stopping' | 'dropped' | RunOutcome;

/** One run from its claim to its end (feature D12). */
export interface RunRecord {
  readonly scheduleId: string;
  readonly key: string;
  readonly status: RunStatus;
  readonly trigger: Trigger;
  /** Its slot; of a command, when it came. What the bot reads as SCHEDULED_AT. */
  readonly scheduledAt: number;
  /** The slot with its jitter: lateness counts from here. */
  readonly dueAt: number;
  readonly claimedAt: number;
  readonly begunAt: number | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** From when it was due to its first start, ms. */
  readonly latenessMs: number | null;
  /** Later than the schedule allows. */
  readonly late: boolean;
  /** False: another run wrote the state at that time; this one saw it read-only. */
  readonly writesState: boolean;
  /** Starts of its container. */
  readonly attempts: number;
  readonly exitClass: ExitClass | null;
  readonly exitCode: number | null;
  readonly stopReason: RunStopReason | null;
  readonly detail: string | null;
  /** Who asked for it, of a command. */
  readonly actor: string | null;
  readonly requestId: string | null;
  /** Where its output is stored: day files of the logs, and its transitions under `<schedule>/<key>`. */
  readonly log: { readonly keys: readonly string[]; readonly transitions: string };
}

/** Slots that did not run (feature D5): one range. */
export interface PassedSlots {
  readonly at: number;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** `count` is the least there are. */
  readonly more: boolean;
  readonly reason: PassReason;
}

export interface ScheduledBot {
  readonly scheduleId: string;
  readonly state: SchedulePath | 'unknown';
  readonly wanted: boolean;
  readonly generation: number;
  /** What its text means, in our words. */
  readonly cron: string | null;
  /** Its next run by itself, with its jitter; null while there is none. */
  readonly nextAt: number | null;
  readonly paused: Pause | null;
  /** Claimed and not ended, oldest first. */
  readonly runs: readonly RunRecord[];
  /** The newest that ended. */
  readonly lastRun: { readonly key: string; readonly outcome: RunOutcome; readonly endedAt: number } | null;
  readonly listed: { readonly succeeded: number; readonly failed: number };
  readonly failuresInRow: number;
  readonly conditions: readonly Condition[];
  readonly version: number;
}

/** Lateness of first starts, as a histogram: `counts[i]` are those of at most `bounds[i]` ms, the last one is the rest. */
export interface LatenessMetrics {
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
}

export interface ScheduleMetrics {
  readonly schedules: Readonly<Record<SchedulePath, number>>;
  /** Claimed and not begun; begun and not ended. */
  readonly waiting: number;
  readonly going: number;
  readonly outcomes: Readonly<Record<RunOutcome, number>>;
  readonly passed: Readonly<Record<PassReason, number>>;
  readonly late: number;
  readonly lateness: LatenessMetrics;
  readonly reconciles: number;
  readonly conflicts: number;
  readonly failures: number;
  readonly lastResyncAt: number | null;
}

/** One future run, as a preview tells it. */
export interface FireTime {
  readonly scheduleId: string;
  readonly slot: number;
  /** With the schedule's own jitter. */
  readonly dueAt: number;
}
