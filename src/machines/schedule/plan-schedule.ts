/** One look at a schedule, decided. Pure, as {@link plan} of a bot is. */
import type { ScheduleEvent } from '../../domain/schedule-event.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { converge } from '../converge.ts';
import { inPortion } from '../requests.ts';
import { passing } from './due-slots.ts';
import { evolveSchedule } from './evolve-schedule.ts';
import { anchored, intendSchedule, nextMoment, passed, type ScheduleCircumstances } from './intend-schedule.ts';
import { noteScheduleWish } from './note-schedule-wish.ts';
import { senseRuns } from './sense-runs.ts';

export interface SchedulePlan {
  readonly events: readonly ScheduleEvent[];
  /** With the events folded in. */
  readonly state: ScheduleState;
  /** Something is left to be decided: look again at once. */
  readonly again: boolean;
  /** Look again then, epoch ms, also when nothing is heard. */
  readonly nextAt: number | undefined;
}

/** Of one commit. What is beyond it, of thousands of runs that wait, is decided by the next pass. */
const MAX_EVENTS = 500;

/** What became of the slots of a pause is told before it ends: then they are behind, and do not run (feature D8). */
const beforeIt = (state: ScheduleState, event: ScheduleEvent, given: ScheduleCircumstances): ScheduleEvent => {
  if (event.type !== 'ScheduleResumed' || state.at !== 'paused' || given.desired.kind !== 'spec') return event;
  const { context } = state;
  const skipped = passing(anchored(given.desired.spec.cron, context), context.cursor, event.at, 'paused');
  return skipped?.kind === 'pass' ? passed(skipped, event.at) : event;
};

/** @throws DroverError EVENT_ILLEGAL or INTERNAL when the rules contradict the statechart: nothing is done then */
export const planSchedule = (state: ScheduleState, circumstances: ScheduleCircumstances): SchedulePlan => {
  const { given, more } = inPortion(state.context.requests, circumstances);
  const { desired, runs, now } = given;
  const maxLatenessMs = desired.kind === 'spec' ? desired.spec.policy.maxLatenessMs : undefined;
  const nextOf = (folded: ScheduleState): ScheduleEvent | undefined => {
    const next =
      noteScheduleWish(folded, desired, now) ??
      senseRuns(folded, runs, now, maxLatenessMs) ??
      intendSchedule(folded, given);
    return next === undefined ? undefined : beforeIt(folded, next, given);
  };
  const planned = converge<ScheduleState, ScheduleEvent>(state, {
    next: nextOf,
    evolve: evolveSchedule,
    most: MAX_EVENTS,
  });
  const { events, state: folded } = planned;
  return {
    events,
    state: folded,
    again: planned.more || (more && events.length > 0),
    nextAt: nextMoment(folded, given),
  };
};
