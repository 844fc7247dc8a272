/**
 * Messages from and to other programs (contract §2). Optional: it may come up late, go away and come back; it heals by
 * itself, and everything that it carries is found again by the tick or in the log.
 */

/** The messages that say what is wished of one kind of bot. */
export interface WishChannel {
  readonly of: 'bots' | 'schedules';
  readonly subjects: readonly string[];
  /** One pattern for all of them. */
  readonly filter: string;
}

const channel = (of: WishChannel['of'], root: string): WishChannel => ({
  of,
  subjects: ['created', 'updated', 'deleted'].map((what) => `${root}.${what}`),
  filter: `${root}.*`,
});

export const BOT_WISHES = channel('bots', 'the0.bot');
export const SCHEDULE_WISHES = channel('schedules', 'the0.bot-schedule');

/** Place of a message in a stream that keeps them. */
export interface StreamPosition {
  /** Name and birth of the stream: numbers of a stream that was made anew say nothing about those of the old one. */
  readonly stream: string;
  /** Counted from 1. */
  readonly sequence: number;
}

export interface BusMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Absent for a message that no stream keeps. */
  readonly position?: StreamPosition;
  /** When the stream took it, or when it was heard; epoch milliseconds. */
  readonly at: number;
}

/** How wishes come in at the moment: kept by a stream, as they are sent, or not at all. */
export type BusMode = 'stream' | 'core' | 'off';

export interface BusStatus {
  readonly mode: BusMode;
  readonly detail: string;
}

export interface WishConsumer {
  /** No other messages come to it. */
  readonly reads: WishChannel;
  /**
   * Takes all messages that wait, oldest first, and later each as it comes. Resolving says that what they wish is stored:
   * only then the stream forgets them. Rejecting brings the same messages again, with backoff, for ever; nothing later
   * comes before them.
   */
  onMessages(messages: readonly BusMessage[]): Promise<void>;
  /** A consumer that is made anew on a store that holds some starts at the present; on an empty one, at the beginning. */
  startsAtNow(): Promise<boolean>;
}

export interface MessageBus {
  /** Consumes until aborted; consumers of different channels side by side. Resolves once the last batch under way is settled. Never rejects. */
  consume(consumer: WishConsumer, signal: AbortSignal): Promise<void>;
  /** Best effort: dropped without a word while there is no connection. */
  publish(subject: string, payload: string): void;
  /** With several consumers: of the one that is worst off. */
  status(): BusStatus;
  close(): Promise<void>;
}
