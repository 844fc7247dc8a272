/**
 * What a schedule's text means, as data: plain enough to be stored and compared. Made by `parseSchedule`, evaluated by
 * `nextSlot`. A slot is an instant, epoch ms on a whole second, at which the schedule is due (contract §9.2).
 */

/**
 * How hours are read where the clock is changed (feature D3). `fixed`: a time of day, once on each day it is meant for.
 * `elapsed`: every hour that really passes and whose name on the clock matches.
 */
export type HourRule = 'fixed' | 'elapsed';

/** What becomes of a fixed time that the clock jumps over: it runs when the clock goes on, or not at all. */
export type GapRule = 'run' | 'skip';

/** Times on the wall clock of a zone. */
export interface FieldsSchedule {
  readonly kind: 'fields';
  /** As it was given, without the white space around it. */
  readonly text: string;
  /** IANA name. */
  readonly timeZone: string;
  /**
   * Six fields, seconds first, of `*`, numbers and commas only; days match when both day fields do, and either one when
   * neither is `*`. Two texts of the same meaning have the same pattern.
   */
  readonly pattern: string;
  readonly hours: HourRule;
  readonly inGap: GapRule;
}

/** A steady beat, whatever the clocks on the wall do. */
export interface EverySchedule {
  readonly kind: 'every';
  readonly text: string;
  /** Where people read its times; the beat does not depend on it. */
  readonly timeZone: string;
  /** Whole seconds, ms. */
  readonly everyMs: number;
  /** Slots are `anchorAt + k × everyMs` for k ≥ 1; epoch ms on a whole second. */
  readonly anchorAt: number;
}

export type Schedule = FieldsSchedule | EverySchedule;
