/** What is wished of a scheduled bot, and what its runs look like from where slots are decided. */
import type { ExitClass } from './bot-event.ts';
import type { BotSpec } from './bot.ts';
import type { Schedule } from './cron/schedule.ts';
import type { SchedulePolicy } from './schedule-policy.ts';

export interface ScheduleSpec {
  readonly bot: BotSpec;
  /** `@every` beats from the epoch here; the fold says from when it really does. */
  readonly cron: Schedule;
  readonly policy: SchedulePolicy;
}

/** What a person or program asked of one schedule. */
export type ScheduleRequest = {
  readonly requestId: string;
  readonly actor: string;
  /** The note, for a pause. */
  readonly reason: string;
  readonly at: number;
} & (
  | { readonly kind: 'pause'; readonly until?: number }
  | { readonly kind: 'resume' | 'trigger' }
  /** Slots of a range, both ends inclusive. `again`: also those that ran already, as runs of this command. */
  | { readonly kind: 'backfill'; readonly from: number; readonly to: number; readonly again: boolean }
);

/** Slots of one backfill, at most: more at once is a mistake more often than a wish. */
export const BACKFILL_MOST = 500;

export type DesiredSchedule =
  | {
      readonly kind: 'spec';
      readonly spec: ScheduleSpec;
      readonly hash: string;
      readonly enabled: boolean;
      readonly drained: boolean;
      readonly requests: readonly ScheduleRequest[];
    }
  | { readonly kind: 'invalid'; readonly code: string; readonly reason: string; readonly enabled: boolean | undefined }
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly reason: string };

/** What the log of a run's container says by now. */
export interface RunView {
  readonly startedAt?: number;
  /** Id of the container that it runs in now. */
  readonly container?: string;
  /** A try failed, and the next one waits. */
  readonly retrying?: true;
  readonly end?: {
    readonly at: number;
    /** It ended by itself and well. */
    readonly succeeded: boolean;
    /** It ended because it was wished no more. */
    readonly stopped: boolean;
    readonly exitClass: ExitClass | null;
    readonly exitCode: number | null;
    readonly attempts: number;
    readonly attempt: number;
    readonly detail?: string;
    /** State or logs still lie on the volume alone. */
    readonly unsynced?: true;
  };
}
