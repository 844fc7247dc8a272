/** What both services are made of. */
import type { SpecDefaults } from '../documents/bot-document.ts';
import type { BotPolicy } from '../domain/policy.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/container-tools.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { SnapshotStore } from '../ports/snapshot-store.ts';
import type { Troubles } from './troubles.ts';

export interface ServiceParts {
  /** Fenced by the lease of the service. */
  readonly events: EventStore;
  readonly snapshots: SnapshotStore;
  /** That keeps bots, or runs. */
  readonly engine: Engine;
  readonly installId: string;
  readonly policy: BotPolicy;
  readonly defaults: SpecDefaults;
  readonly resyncIntervalMs: number;
  readonly troubles: Troubles;
  readonly leads: () => boolean;
  /** @throws DroverError LEASE_LOST */
  readonly inTerm: <T>(work: () => Promise<T>) => Promise<T>;
  readonly clock: Clock;
  readonly logger: Logger;
}
