/** An event as the log keeps it: with its place, its time, and why it was written. */

/** What woke the bot, or what was asked. Only explains; nothing is ever decided from it. */
export type Cause =
  | { readonly kind: 'message'; readonly subject: string; readonly sequence?: number }
  | { readonly kind: 'docker'; readonly action: string; readonly container: string; readonly time: number }
  | { readonly kind: 'tick'; readonly number: number }
  | { readonly kind: 'timer' }
  | { readonly kind: 'spec'; readonly id: string }
  | { readonly kind: 'request'; readonly requestId: string; readonly actor: string; readonly action: string }
  /** A schedule wished something of its run, or a run told its schedule something. */
  | { readonly kind: 'schedule'; readonly event: string }
  | { readonly kind: 'run'; readonly key: string; readonly event: string }
  | { readonly kind: 'start' };

export interface StoredEvent {
  readonly type: string;
  /** Schema number of this event's payload. */
  readonly schema: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface NewCommit {
  readonly stream: string;
  /** Version of the stream this append rests on; 0 for an empty stream. */
  readonly expectedVersion: number;
  readonly events: readonly StoredEvent[];
  /** Minted by the store when absent. */
  readonly commandId?: string;
  readonly causes: readonly Cause[];
}

/** One append: atomic, dense in `position`, chained by hash. */
export interface Commit {
  readonly position: number;
  readonly stream: string;
  /** Versions of the first and last event, both inclusive, counted from 1. */
  readonly from: number;
  readonly to: number;
  readonly events: readonly StoredEvent[];
  readonly commandId: string;
  readonly causes: readonly Cause[];
  readonly prevHash: string;
  readonly hash: string;
  /** Epoch milliseconds. */
  readonly recordedAt: number;
  readonly writer: string;
  readonly epoch: number;
}
