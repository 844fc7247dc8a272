/**
 * The statechart of one schedule. Used as a value, never as a process, like that of a bot. That a slot
 * is claimed at most once is a guard of it: slots only ever go forward, and a key is active once.
 */
import { assign, setup } from 'xstate';
import type { ScheduleEvent } from '../../domain/schedule-event.ts';
import type { ScheduleContext } from '../../domain/schedule-state.ts';
import { amendSchedule } from './amend-schedule.ts';
import { emptySchedule } from './empty-context.ts';

export const SCHEDULE_MACHINE_VERSION = 1;

const stay = { actions: 'remember' } as const;
const to = <T extends string>(target: T) => ({ target, actions: 'remember' }) as const;

/** What is told of runs that were begun, whatever becomes of the schedule meanwhile. */
const runs = {
  RunStarted: { guard: 'isBegun', actions: 'remember' },
  RunStopRequested: { guard: 'isBegun', actions: 'remember' },
  RunEnded: { guard: 'isBegun', actions: 'remember' },
  RunDropped: { guard: 'waits', actions: 'remember' },
  RunsForgotten: stay,
} as const;

const wishes = {
  ...runs,
  ScheduleChanged: stay,
  ScheduleRejected: stay,
  ScheduleAccepted: stay,
  RequestRefused: stay,
} as const;

/** What a person asks for runs also while the schedule itself is paused. */
const asked = {
  BackfillAccepted: stay,
  RunBegun: { guard: 'waits', actions: 'remember' },
} as const;

const setupMachine = setup({
  types: { context: {} as ScheduleContext, events: {} as ScheduleEvent },
  actions: {
    remember: assign(({ context, event }) => amendSchedule(context, event)),
    enter: assign({ since: ({ event }) => (event as Partial<ScheduleEvent>).at ?? 0 }),
  },
  guards: {
    unborn: ({ context }) => context.incarnation === 0,
    isPaused: ({ context }) => context.paused !== null,
    isIdle: ({ context }) => context.runs.length === 0,
    waits: ({ context, event }) =>
      context.runs.some((run) => 'key' in event && run.key === event.key && run.begunAt === null),
    isBegun: ({ context, event }) =>
      context.runs.some((run) => 'key' in event && run.key === event.key && run.begunAt !== null),
    /** A slot that is not behind the cursor, or a key that is not active (feature D7). */
    isFree: ({ context, event }) =>
      event.type === 'RunClaimed' &&
      !context.runs.some(({ key }) => key === event.key) &&
      (event.trigger === 'manual' || event.trigger === 'backfill' || event.scheduledAt > context.cursor),
    isAskedFor: ({ context, event }) =>
      event.type === 'RunClaimed' &&
      (event.trigger === 'manual' || event.trigger === 'backfill') &&
      !context.runs.some(({ key }) => key === event.key),
    isAhead: ({ context, event }) => event.type === 'SlotsPassed' && event.to > context.cursor,
  },
});

export const scheduleMachine = setupMachine.createMachine({
  id: 'schedule',
  context: emptySchedule,
  initial: 'disabled',
  states: {
    disabled: {
      entry: 'enter',
      on: {
        ...wishes,
        ScheduleCreated: { guard: 'unborn', actions: 'remember' },
        ScheduleEnabled: [{ guard: 'isPaused', ...to('paused') }, to('armed')],
        SchedulePaused: stay,
        ScheduleResumed: stay,
        ScheduleDeletionRequested: stay,
        ScheduleDeleted: { guard: 'isIdle', ...to('deleted') },
      },
    },
    armed: {
      entry: 'enter',
      on: {
        ...wishes,
        ...asked,
        RunClaimed: { guard: 'isFree', actions: 'remember' },
        SlotsSetBack: stay,
        SlotsPassed: { guard: 'isAhead', actions: 'remember' },
        SchedulePaused: to('paused'),
        ScheduleDisabled: to('disabled'),
        ScheduleDeletionRequested: to('disabled'),
      },
    },
    paused: {
      entry: 'enter',
      on: {
        ...wishes,
        ...asked,
        RunClaimed: { guard: 'isAskedFor', actions: 'remember' },
        SlotsSetBack: stay,
        SlotsPassed: { guard: 'isAhead', actions: 'remember' },
        SchedulePaused: stay,
        ScheduleResumed: to('armed'),
        ScheduleDisabled: to('disabled'),
        ScheduleDeletionRequested: to('disabled'),
      },
    },
    deleted: {
      entry: 'enter',
      on: { ScheduleCreated: to('disabled') },
    },
  },
});
