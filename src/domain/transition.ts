/** One line of the transition log: an event, the states around it, and why. Derived from the log, never stored. */
import type { BotEvent } from './bot-event.ts';
import type { StatePath } from './bot-state.ts';
import type { Cause } from './recorded.ts';

export interface Transition {
  /** When it was recorded, epoch milliseconds. */
  readonly time: number;
  /** Place in the whole log: resume token together with `index`. */
  readonly position: number;
  readonly index: number;
  /** Version of the bot's own stream. */
  readonly version: number;
  readonly botId: string;
  readonly from: StatePath;
  readonly to: StatePath;
  readonly event: BotEvent;
  readonly causes: readonly Cause[];
  readonly attempt: number;
  readonly container?: string;
  /** How long the state left had lasted, ms; absent when the state did not change. */
  readonly lastedMs?: number;
}
