/** What the API is made of: ports and nothing else. */
import type { SpecDefaults } from '../documents/bot-document.ts';
import type { ArchiveStore } from '../ports/archive-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeadLetterStore } from '../ports/dead-letter-store.ts';
import type { FleetView, Readiness, RemovalGuard, TransitionSource } from '../ports/fleet-view.ts';
import type { Orphans } from '../ports/orphans.ts';
import type { Takeover } from '../ports/predecessor.ts';
import type { ScheduleReaders } from '../ports/schedule-view.ts';
import type { ScheduleStore, SpecStore } from '../ports/spec-store.ts';
import type { StateSnapshots } from '../ports/state-snapshots.ts';
import type { QueryApiDeps } from './query-routes.ts';
import type { TroubleOf } from './unknown-view.ts';

export interface ApiDeps {
  /** Absent where no queries are served. */
  readonly queries?: QueryApiDeps | undefined;
  readonly specs: SpecStore;
  readonly schedules: ScheduleStore;
  readonly scheduleReaders: ScheduleReaders;
  readonly archives: ArchiveStore;
  readonly fleet: FleetView;
  /** What keeps a bot or schedule from being known; absent where nobody notes it. */
  readonly troubleOf?: TroubleOf | undefined;
  readonly transitions: TransitionSource;
  readonly guard: RemovalGuard;
  readonly deadLetters: DeadLetterStore;
  readonly takeover: Takeover;
  readonly orphans: Orphans;
  readonly stateSnapshots: StateSnapshots;
  readonly readiness: () => Promise<readonly Readiness[]>;
  readonly clock: Clock;
  readonly mintId: () => string;
  readonly defaults: SpecDefaults;
  /** Bearer token; without one only loopback names are served. */
  readonly token: string | undefined;
}
