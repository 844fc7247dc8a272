/** One line of the transition log: an event, the states around it, and why. Derived from the log, never stored. */
import type { BotEvent } from './bot-event.ts';
import type { StatePath } from './bot-state.ts';
import type { Cause } from './recorded.ts';
import type { ScheduleEvent } from './schedule-event.ts';
import type { SchedulePath } from './schedule-state.ts';

interface Place<S extends string, E> {
  /** When it was recorded, epoch milliseconds. */
  readonly time: number;
  /** Place in the whole log: resume token together with `index`. */
  readonly position: number;
  readonly index: number;
  /** Version of its own stream. */
  readonly version: number;
  /** Of a bot, of a run (`<schedule>/<key>`), or of a schedule. */
  readonly botId: string;
  readonly from: S;
  readonly to: S;
  readonly event: E;
  readonly causes: readonly Cause[];
  readonly attempt: number;
  readonly container?: string;
  /** How long the state left had lasted, ms; absent when the state did not change. */
  readonly lastedMs?: number;
}

export type BotTransition = Place<StatePath, BotEvent> & { readonly kind: 'bot' | 'run' };
export type ScheduleTransition = Place<SchedulePath, ScheduleEvent> & { readonly kind: 'schedule' };
export type Transition = BotTransition | ScheduleTransition;
