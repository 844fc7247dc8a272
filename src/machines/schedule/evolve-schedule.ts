/** The strict fold of a schedule, as {@link evolve} is that of a bot. */
import { transition } from 'xstate';
import { DroverError } from '../../domain/errors.ts';
import type { ScheduleEvent } from '../../domain/schedule-event.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { emptySchedule } from './empty-context.ts';
import { scheduleMachine } from './schedule-machine.ts';

export const initialSchedule: ScheduleState = { at: 'disabled', context: emptySchedule };

const restore = ({ at, context }: ScheduleState) => scheduleMachine.resolveState({ value: at, context });

/** May `event` happen in this state? */
export const acceptsSchedule = (state: ScheduleState, event: ScheduleEvent): boolean => restore(state).can(event);

/** @throws DroverError EVENT_ILLEGAL when the state cannot take it (fault R48: fail closed) */
export const evolveSchedule = (state: ScheduleState, event: ScheduleEvent): ScheduleState => {
  const snapshot = restore(state);
  if (!snapshot.can(event)) {
    throw new DroverError('EVENT_ILLEGAL', `${event.type} cannot happen in ${state.at}`);
  }
  const [next] = transition(scheduleMachine, snapshot, event);
  return { at: next.value, context: next.context };
};
