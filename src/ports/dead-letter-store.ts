/** Messages that could not be understood, with the reason: kept for a person, and never in anybody's way (fault R1). */
import type { StreamPosition } from './message-bus.ts';

export interface DeadLetter {
  readonly subject: string;
  /** Absent for a message that no stream keeps. */
  readonly position?: StreamPosition;
  /** When it was sent or heard; epoch milliseconds. */
  readonly at: number;
  readonly reason: string;
  /** Bytes of the whole message. */
  readonly size: number;
  /** Its beginning, base64. */
  readonly data: string;
}

/** Stores keep this many, the newest. */
export const DEAD_LETTERS_KEPT = 10_000;

export interface DeadLetterStore {
  /** Durable when it resolves. One with a position that is there already changes nothing. @throws DroverError STORE_UNAVAILABLE */
  add(letter: DeadLetter): Promise<void>;
  /** Newest first. */
  list(limit: number): Promise<readonly DeadLetter[]>;
}
