/**
 * The statechart of one bot: which events are legal where, and where they lead. Used as a value, never as a process:
 * no invoke, no timers, only `assign`.
 */
import { assign, setup } from 'xstate';
import type { BotEvent } from '../domain/bot-event.ts';
import type { BotContext } from '../domain/bot-state.ts';
import { amend } from './amend.ts';
import { emptyContext } from './empty-context.ts';

/** Raised by hand whenever the meaning of a stored snapshot changes; golden logs guard it. */
export const MACHINE_VERSION = 1;

const stay = { actions: 'remember' } as const;
const to = <T extends string>(target: T) => ({ target, actions: 'remember' }) as const;

/** What is told in every state: what becomes of state and logs, also after the bot, and that the clock was set back. */
const storage = {
  StateRestored: stay,
  StateEditedOutside: stay,
  StateSynced: stay,
  StateSyncFailed: stay,
  StateOverLimit: stay,
  LogsShipped: stay,
  LogsShippingFailed: stay,
  LogsDropped: stay,
  CodeEntriesSkipped: stay,
  VolumeSynced: stay,
  VolumeSyncFailed: stay,
  ClockSetBack: stay,
} as const;

/** What may be wished of a bot in any state but `deleted`. */
const wishes = {
  ...storage,
  HostPressureFound: stay,
  HostPressureGone: stay,
  SpecChanged: stay,
  SpecRejected: stay,
  SpecAccepted: stay,
  BotEnabled: stay,
  BotDisabled: stay,
  BotDeletionRequested: stay,
  RestartRequested: stay,
  ResetRequested: stay,
  ForeignInstanceFound: stay,
  ForeignInstanceGone: stay,
  ContainerRemoveFailed: stay,
} as const;

const setupMachine = setup({
  types: { context: {} as BotContext, events: {} as BotEvent },
  actions: {
    remember: assign(({ context, event }) => amend(context, event)),
    // The initial event of the machine carries no time: an initial state begins at 0.
    enter: assign({ since: ({ event }) => (event as Partial<BotEvent>).at ?? 0 }),
  },
  guards: { unborn: ({ context }) => context.incarnation === 0 },
});

export const botMachine = setupMachine.createMachine({
  id: 'bot',
  context: emptyContext,
  initial: 'stopped',
  states: {
    stopped: {
      entry: 'enter',
      on: {
        ...wishes,
        BotCreated: { guard: 'unborn', actions: 'remember' },
        LeftoverFound: stay,
        ContainerRemoved: stay,
        ContainerVanished: stay,
        ContainerAdopted: to('running'),
        ContainerStartRequested: to('starting'),
        BotDeleted: to('deleted'),
      },
    },
    starting: {
      entry: 'enter',
      on: {
        ...wishes,
        LeftoverFound: stay,
        ContainerRemoved: stay,
        ContainerCreated: stay,
        ContainerStarted: to('running'),
        ContainerStopRequested: to('stopping'),
        StartCancelled: to('stopped'),
        ContainerCreateFailed: to('failed.backingOff'),
        ContainerStartFailed: to('failed.backingOff'),
        ContainerExited: to('failed.backingOff'),
        ContainerVanished: to('failed.backingOff'),
        StartTimedOut: to('failed.backingOff'),
      },
    },
    running: {
      entry: 'enter',
      on: {
        ...wishes,
        ContainerPaused: stay,
        ContainerUnpaused: stay,
        ContainerRestarted: stay,
        ConfigurationDelivered: stay,
        ConfigurationDeliveryFailed: stay,
        BecameHealthy: stay,
        ContainerStopRequested: to('stopping'),
        ContainerExited: to('failed.backingOff'),
        ContainerVanished: to('failed.backingOff'),
      },
    },
    stopping: {
      entry: 'enter',
      on: {
        ...wishes,
        StopSignalSent: stay,
        ContainerStopFailed: stay,
        ContainerExited: stay,
        ContainerRestarted: stay,
        ContainerRemoved: to('stopped'),
        ContainerVanished: to('stopped'),
        StopTimedOut: to('failed.backingOff'),
      },
    },
    failed: {
      entry: 'enter',
      initial: 'backingOff',
      states: {
        backingOff: {
          entry: 'enter',
          on: {
            ...wishes,
            RetryScheduled: stay,
            LeftoverFound: stay,
            ContainerRemoved: stay,
            ContainerVanished: stay,
            ContainerExited: stay,
            GaveUp: to('exhausted'),
            BotCompleted: to('#bot.stopped'),
            BotStopped: to('#bot.stopped'),
            ContainerAdopted: to('#bot.running'),
            ContainerStartRequested: to('#bot.starting'),
          },
        },
        exhausted: {
          entry: 'enter',
          on: {
            ...wishes,
            SpecChanged: to('#bot.stopped'),
            ResetRequested: to('#bot.stopped'),
            LeftoverFound: stay,
            ContainerRemoved: stay,
            ContainerVanished: stay,
            ContainerAdopted: to('#bot.running'),
            BotStopped: to('#bot.stopped'),
          },
        },
      },
    },
    deleted: {
      entry: 'enter',
      on: {
        ...storage,
        BotCreated: to('stopped'),
        LeftoverFound: stay,
        ContainerRemoved: stay,
        ContainerVanished: stay,
        ContainerRemoveFailed: stay,
      },
    },
  },
});
