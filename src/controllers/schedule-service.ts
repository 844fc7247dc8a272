/**
 * ScheduleService: two loops on the same spine. One over schedules, woken by the spec store, exact timers, requests, what its
 * runs' logs say, and the tick; one over runs, woken by their schedules, the engine, timers and the tick.
 */
import { Subject } from 'rxjs';
import type { Cause } from '../domain/recorded.ts';
import { ownerOf, partsOfRun } from '../domain/run-id.ts';
import type { ContainerEngine } from '../ports/container-engine.ts';
import type { ScheduleStore } from '../ports/spec-store.ts';
import { createControlLoop, type ControlLoopOptions } from './control-loop.ts';
import type { FleetCounters } from './fleet-counters.ts';
import type { Wake } from './serial-per-key.ts';
import type { ScheduleCounters } from './schedules/schedule-counters.ts';
import { dockerSource } from './sources/docker.ts';
import { specSource } from './sources/specs.ts';

type Shared = Pick<ControlLoopOptions, 'resyncIntervalMs' | 'leads' | 'inTerm' | 'troubles' | 'clock' | 'logger'>;
type Work = Pick<ControlLoopOptions, 'reconcile' | 'resync' | 'failures'>;

export interface ScheduleServiceDependencies extends Shared {
  readonly engine: ContainerEngine;
  readonly schedules: Pick<ScheduleStore, 'onChange'>;
  readonly ofSchedules: Work & { readonly counters: ScheduleCounters };
  readonly ofRuns: Work & { readonly counters: Pick<FleetCounters, 'add'> };
  readonly wakes: ScheduleWakes;
}

/** How the two loops wake one another. */
export interface ScheduleWakes {
  readonly schedules: Subject<Wake>;
  readonly runs: Subject<Wake>;
  run(id: string, event: string): void;
  /** A run's log says something new to its schedule. */
  scheduleOf(runId: string, event: string): void;
}

export interface ScheduleService {
  start(): void;
  /** Takes no new wake and waits for the turns under way, at most `withinMs`. Runs go on. */
  stop(withinMs: number): Promise<void>;
  /** Look at everything soon. */
  resyncSoon(): void;
}

export const createScheduleWakes = (): ScheduleWakes => {
  const schedules = new Subject<Wake>();
  const runs = new Subject<Wake>();
  return {
    schedules,
    runs,
    run: (key, event) => {
      runs.next({ key, cause: { kind: 'schedule', event } });
    },
    scheduleOf: (id, event) => {
      const cause: Cause = { kind: 'run', key: partsOfRun(id)?.key ?? id, event };
      schedules.next({ key: ownerOf(id), cause });
    },
  };
};

export const createScheduleService = (dependencies: ScheduleServiceDependencies): ScheduleService => {
  const { engine, schedules, ofSchedules, ofRuns, wakes, ...shared } = dependencies;
  const scheduleLoop = createControlLoop({
    ...shared,
    ...ofSchedules,
    what: 'schedule',
    sources: (ask) => [specSource(schedules, ask), wakes.schedules],
  });
  const runLoop = createControlLoop({
    ...shared,
    ...ofRuns,
    what: 'run',
    sources: (ask) => [wakes.runs, dockerSource(engine, shared.logger, ask)],
  });
  return {
    start() {
      runLoop.start();
      scheduleLoop.start();
    },
    async stop(withinMs) {
      await Promise.all([scheduleLoop.stop(withinMs), runLoop.stop(withinMs)]);
    },
    resyncSoon() {
      scheduleLoop.resyncSoon();
      runLoop.resyncSoon();
    },
  };
};
