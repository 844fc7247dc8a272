/**
 * Who acts. A role (bot-runner, …) is held by at most one process, by a lease with an epoch that only grows. Time is
 * counted on each process's own monotonic clock, so wrong wall clocks cost nothing (faults R23, R44).
 */

import type { EventStore } from './event-store.ts';

export interface Leadership {
  readonly role: string;
  /** The epoch for as long as the lease is certainly ours, else undefined. Asks nobody: cheap enough for every call. */
  epoch(): number | undefined;
  /** The epoch that may still be ours though nobody can say so at the moment; undefined once it certainly is not. */
  term(): number | undefined;
  /** Who holds the role as far as this process has seen. */
  holder(): string | undefined;
  /** Somebody acts: this process holds the role, or has seen another one renew it within the time of a lease. */
  isHeld(): boolean;
  /** Calls back when the lease is won (true) and when it is lost (false). Returns how to stop. */
  onChange(listener: (leads: boolean) => void): () => void;
  /** Begins to compete; goes on for ever, also while the store is away. */
  start(): void;
  /** Gives the role back, so that another need not wait for it to run out. Never rejects. */
  stop(): Promise<void>;
}

/** What one service acts under: its lease, and the log that only whoever holds it writes. */
export interface OfficeStores {
  readonly leadership: Leadership;
  readonly events: EventStore;
}

/** BotService and ScheduleService: one process may hold both, or two processes one each. */
export type Offices = Readonly<Record<'bots' | 'runs', OfficeStores>>;

/** Names of the roles, as the field knows the processes. */
export const ROLES = { bots: 'bot-runner', runs: 'bot-scheduler' } as const satisfies Record<keyof Offices, string>;
