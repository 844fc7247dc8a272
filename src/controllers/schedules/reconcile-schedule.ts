/**
 * One schedule, one pass: fold, look at its runs, plan, append – and only then wake the runs that the log wishes or wishes no
 * more. A slot is claimed here, before anything of its run exists (feature D7).
 */
import { DroverError } from '../../domain/errors.ts';
import type { BotState } from '../../domain/bot-state.ts';
import type { Cause } from '../../domain/recorded.ts';
import type { DesiredSchedule, ScheduleRequest } from '../../domain/schedule.ts';
import { scheduleStream, type ScheduleEvent } from '../../domain/schedule-event.ts';
import type { SchedulePolicy } from '../../domain/schedule-policy.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { planSchedule, type SchedulePlan } from '../../machines/schedule/plan-schedule.ts';
import { isAhead } from '../../machines/schedule/set-back.ts';
import { toStoredSchedule } from '../../machines/schedule/upcast-schedule.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Desire } from '../desire.ts';
import { distinctCauses } from '../distinct-causes.ts';
import type { FleetCounters } from '../fleet-counters.ts';
import type { FoldStore } from '../fold-store.ts';
import { readClaimedKeys } from './claimed-keys.ts';
import { readRunViews } from './run-views.ts';

export interface ReconcileScheduleDependencies {
  readonly events: EventStore;
  readonly states: FoldStore<ScheduleState>;
  readonly runs: Pick<FoldStore<BotState>, 'load'>;
  readonly desiredOf: (id: string, causes: readonly Cause[]) => Promise<Desire<DesiredSchedule>>;
  /** Told once the log has taken them. */
  readonly requestsTaken: (id: string, requests: readonly ScheduleRequest[]) => Promise<void>;
  /** A run is wished, or wished no more: what happened is in the log by now. */
  readonly onRun: (id: string, event: Extract<ScheduleEvent, { type: 'RunBegun' | 'RunStopRequested' }>) => void;
  /** May append to the log of this schedule; called when all else of the pass is done. */
  readonly keepHistory: (id: string, policy: SchedulePolicy) => Promise<void>;
  /** After each pass. */
  readonly onPlanned: (id: string, plan: SchedulePlan, desired: DesiredSchedule) => void;
  readonly counters: Pick<FleetCounters, 'add'>;
  readonly clock: Clock;
}

/** A conflict means that somebody else wrote: then all is decided anew. */
const MAX_TRIES = 10;
/** After a store that did not answer: soon enough to heal, rare enough not to be a hot loop. */
const UNREAD_MS = 5_000;

const isNew = ({ context }: ScheduleState, { requestId }: ScheduleRequest): boolean =>
  !context.requests.includes(requestId);

export const createReconcileSchedule = (dependencies: ReconcileScheduleDependencies) => {
  const { events, states, runs, desiredOf, requestsTaken, onRun, onPlanned, keepHistory, counters, clock } =
    dependencies;

  const append = async (
    id: string,
    version: number,
    happened: readonly ScheduleEvent[],
    causes: readonly Cause[],
  ): Promise<boolean> => {
    try {
      const stored = happened.map(toStoredSchedule);
      states.apply(
        await events.append({ stream: scheduleStream(id), expectedVersion: version, events: stored, causes }),
      );
      return true;
    } catch (error) {
      // Whatever went wrong, the cached fold may no longer be the log's.
      states.forget(id);
      if (!(error instanceof DroverError) || error.class !== 'concurrency') throw error;
      counters.add('conflicts');
      return false;
    }
  };

  /** Undefined after a conflict: somebody else wrote first. */
  const pass = async (
    id: string,
    causes: readonly Cause[],
  ): Promise<{ readonly nextAt: number | undefined } | undefined> => {
    const [{ state, version }, { desired, cause, unread }] = await Promise.all([
      states.load(id),
      desiredOf(id, causes),
    ]);
    const requests = desired.kind === 'spec' ? desired.requests : [];
    const asksForPast = requests.some((request) => request.kind === 'backfill' && isNew(state, request));
    const [views, claimed] = await Promise.all([
      readRunViews(runs, id, state, desired, clock.now()),
      asksForPast || isAhead(state, clock.now()) ? readClaimedKeys(events, id) : undefined,
    ]);
    const now = clock.now();
    const plan = planSchedule(state, { id, desired, runs: views, now, ...(claimed === undefined ? {} : { claimed }) });
    if (plan.events.length > 0) {
      // Who asked for the document explains what follows from the document, and nothing else.
      const isWish = plan.events.some(({ type }) => type.startsWith('Schedule'));
      const told = cause !== undefined && isWish ? distinctCauses([cause, ...causes]) : causes;
      if (!(await append(id, version, plan.events, told))) return undefined;
    }
    for (const event of plan.events) {
      if (event.type === 'RunBegun' || event.type === 'RunStopRequested') onRun(id, event);
    }
    // Requests count as taken only once the log holds them: a crash before this line takes them again, harmlessly.
    const taken = requests.filter((request) => !isNew(plan.state, request));
    if (taken.length > 0) await requestsTaken(id, taken);
    onPlanned(id, plan, desired);
    if (desired.kind === 'spec') await keepHistory(id, desired.spec.policy);
    // The rest in a turn of its own, after those of others.
    if (plan.again) return { nextAt: now };
    return { nextAt: unread === true ? Math.min(plan.nextAt ?? Infinity, now + UNREAD_MS) : plan.nextAt };
  };

  /** Resolves with after how many ms to look again though nothing is heard; undefined when only a signal matters. */
  return async (id: string, causes: readonly Cause[]): Promise<number | undefined> => {
    counters.add('reconciles');
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const done = await pass(id, causes);
      if (done !== undefined) return done.nextAt === undefined ? undefined : Math.max(0, done.nextAt - clock.now());
    }
    throw new DroverError('VERSION_CONFLICT', `other processes keep writing to the log of schedule ${id}`);
  };
};
