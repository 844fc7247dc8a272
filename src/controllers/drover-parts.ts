/** What a drover is made of: ports, and nothing that knows a server. */
import type { SpecDefaults } from '../documents/bot-document.ts';
import type { BotPolicy } from '../domain/policy.ts';
import type { Transition } from '../domain/transition.ts';
import type { ArchiveStore } from '../ports/archive-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/container-tools.ts';
import type { DeadLetterStore } from '../ports/dead-letter-store.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Leadership } from '../ports/leadership.ts';
import type { Logger } from '../ports/logger.ts';
import type { MessageBus } from '../ports/message-bus.ts';
import type { Predecessor } from '../ports/predecessor.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { ScheduleStore, SpecStore } from '../ports/spec-store.ts';
import type { Fence } from './fence.ts';
import type { QueryParts } from './queries/create-queries.ts';

/** One of the two services, and what it acts through. */
export interface Office {
  /** Which of several processes acts. */
  readonly leadership: Leadership;
  /** Appends only while that lease is held. */
  readonly events: EventStore;
  /** Keeps bots, or runs. */
  readonly engine: Engine;
  /** The one that the engine asks too. */
  readonly fence?: Fence;
  /** False: this process only shows what others do. */
  readonly acts?: boolean;
}

export interface DroverParts {
  readonly bots: Office;
  readonly runs: Office;
  readonly specs: SpecStore;
  readonly schedules: ScheduleStore;
  readonly snapshots: SnapshotStore;
  readonly deadLetters: DeadLetterStore;
  readonly archives: ArchiveStore;
  /** Rejects when nothing can be written where the log is; absent where only the store itself can tell. */
  readonly writable?: () => Promise<void>;
  /** Absent: wishes come through the API and the spec store alone. */
  readonly bus?: MessageBus | undefined;
  readonly predecessor: Predecessor;
  /** Absent: no queries are served. */
  readonly queries?: QueryParts | undefined;
  readonly policy: BotPolicy;
  readonly defaults: SpecDefaults;
  readonly resyncIntervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told each transition once, in the order of the log. */
  readonly tell: (transition: Transition) => void;
}
