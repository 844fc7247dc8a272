/** One look at a schedule, decided. Pure, as {@link plan} of a bot is. */
import { DroverError } from '../../domain/errors.ts';
import type { ScheduleEvent } from '../../domain/schedule-event.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { passing } from './due-slots.ts';
import { evolveSchedule } from './evolve-schedule.ts';
import { anchored, intendSchedule, nextMoment, passed, type ScheduleCircumstances } from './intend-schedule.ts';
import { noteScheduleWish } from './note-schedule-wish.ts';
import { senseRuns } from './sense-runs.ts';

export interface SchedulePlan {
  readonly events: readonly ScheduleEvent[];
  /** With the events folded in. */
  readonly state: ScheduleState;
  /** Look again then, epoch ms, also when nothing is heard. */
  readonly nextAt: number | undefined;
}

/** More than any honest look needs: a backlog of slots, and what begins of it. */
const MAX_EVENTS = 2_000;

/** What became of the slots of a pause is told before it ends: then they are behind, and do not run (feature D8). */
const beforeIt = (state: ScheduleState, event: ScheduleEvent, given: ScheduleCircumstances): ScheduleEvent => {
  if (event.type !== 'ScheduleResumed' || state.at !== 'paused' || given.desired.kind !== 'spec') return event;
  const { context } = state;
  const skipped = passing(anchored(given.desired.spec.cron, context), context.cursor, event.at, 'paused');
  return skipped?.kind === 'pass' ? passed(skipped, event.at) : event;
};

/** @throws DroverError EVENT_ILLEGAL or INTERNAL when the rules contradict the statechart: nothing is done then */
export const planSchedule = (state: ScheduleState, given: ScheduleCircumstances): SchedulePlan => {
  const events: ScheduleEvent[] = [];
  const maxLatenessMs = given.desired.kind === 'spec' ? given.desired.spec.policy.maxLatenessMs : undefined;
  let folded = state;
  for (;;) {
    const next =
      noteScheduleWish(folded, given.desired, given.now) ??
      senseRuns(folded, given.runs, given.now, maxLatenessMs) ??
      intendSchedule(folded, given);
    if (next === undefined) break;
    if (events.length >= MAX_EVENTS) {
      throw new DroverError('INTERNAL', `the plan of a schedule does not converge: ${next.type} in ${folded.at}`);
    }
    const event = beforeIt(folded, next, given);
    folded = evolveSchedule(folded, event);
    events.push(event);
  }
  return { events, state: folded, nextAt: nextMoment(folded, given) };
};
