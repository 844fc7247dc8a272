/** What the API reads of schedules and runs; implemented by the controllers. */
import type { BotId } from '../domain/bot.ts';
import type { FireTime, PassedSlots, RunRecord, ScheduledBot, ScheduleMetrics } from '../domain/scheduled-bot.ts';
import type { ScheduleSpec } from '../domain/schedule.ts';

export interface ScheduleView {
  /** Every schedule that is known, the deleted ones left out, ordered by id. */
  list(): readonly ScheduledBot[];
  get(id: BotId): ScheduledBot | undefined;
  /** When it runs next by itself as its document says, epoch ms: also where this process does not plan it. */
  nextOf(spec: ScheduleSpec): number | undefined;
  metrics(): ScheduleMetrics;
}

export interface RunPage {
  /** Newest claim first. */
  readonly runs: readonly RunRecord[];
  /** Slots that did not run, newest first, of the same part of the log. */
  readonly passed: readonly PassedSlots[];
  /** Hand it in as `before` for the next page; absent: there is no older one. */
  readonly next?: number;
}

/** Read from the logs: also what ended long ago (feature D12). */
export interface RunHistory {
  /** `all`: also runs that are listed no more. `before`: what an earlier page returned as `next`. */
  list(
    id: BotId,
    options: { readonly limit: number; readonly before?: number; readonly all: boolean },
  ): Promise<RunPage>;
  /** Also one that is listed no more; undefined: there never was one of this key. */
  get(id: BotId, key: string): Promise<RunRecord | undefined>;
}

export interface PreviewPage {
  /** Earliest first. */
  readonly times: readonly FireTime[];
  /** There are more than `limit` in the range. */
  readonly more: boolean;
}

/** Future runs by themselves, clock changes included (feature D14). */
export interface SchedulePreview {
  /** Of schedules that are armed, or of one in any state that has a valid text. Both ends inclusive, epoch ms. */
  read(options: {
    readonly from: number;
    readonly to: number;
    readonly limit: number;
    readonly id?: BotId;
  }): Promise<PreviewPage>;
}

/** Everything of schedules that the API is made of. */
export interface ScheduleReaders {
  readonly view: ScheduleView;
  readonly history: RunHistory;
  readonly preview: SchedulePreview;
}
