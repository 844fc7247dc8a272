/** What each event means, in one sentence. The compiler refuses a new event that has none. */
import type { BotEventType } from '../../src/domain/bot-event.ts';
import type { ScheduleEventType } from '../../src/domain/schedule-event.ts';

export interface Group<Type extends string> {
  readonly title: string;
  readonly intro: string;
  readonly events: Partial<Record<Type, string>>;
}

const SPEC = {
  BotCreated: 'A document with this id appeared. `incarnation` counts how often that has happened.',
  SpecChanged: 'The spec differs from the one before; `generation` is its new number.',
  SpecRejected: 'The document is not valid. The bot keeps the last valid spec.',
  SpecAccepted: 'The document is valid again, with the same spec as before.',
  BotEnabled: 'The document enables the bot.',
  BotDisabled: 'The document disables the bot (`document`), or the whole fleet is drained (`drain`).',
  BotDeletionRequested: 'The document was deleted. The bot is stopped, and its container removed.',
  RestartRequested:
    'Somebody requested a restart; `actor` says who. `requests` counts equal ones that this event takes.',
  ResetRequested:
    'Somebody requested that drover tries again after it gave up; `actor` says who. `requests` is as above.',
} as const;

const CONTAINER = {
  ContainerCreated: 'The engine has created a container for this start.',
  ContainerStarted: 'The container runs.',
  ContainerAdopted:
    'A running container of this bot was found that the log did not know: after a crash of drover, or a start by hand.',
  LeftoverFound: 'A container of an earlier start was found. It is removed before anything starts.',
  ContainerPaused: 'Somebody paused the container.',
  ContainerUnpaused: 'Somebody resumed the container.',
  ContainerRestarted: 'Somebody restarted the container without drover.',
  ContainerExited:
    'The container ended; `class` is its exit class. The last lines of its output are in `logTail` of the API.',
  ContainerVanished: 'The container was removed without drover.',
  ContainerRemoved: 'drover has removed the container.',
  ForeignInstanceFound:
    'A container of the0, or of another install of drover, runs this bot. A start waits until that container is gone; a bot that runs goes on.',
  ForeignInstanceGone: 'That container is gone.',
  BecameHealthy: 'The bot has run long enough (`HEALTHY_AFTER`) that earlier failures no longer count.',
} as const;

const STORAGE = {
  StateRestored: 'The state of the bot was restored before its start; `source` says from where.',
  StateEditedOutside:
    'Somebody else wrote `state.tar.gz`. That state was used, and the former state was kept as a snapshot.',
  StateSynced: 'The state is in the archive store; `snapshot` is its name.',
  StateSyncFailed: 'The state could not be stored. drover retries.',
  StateOverLimit: 'Files over the size limits are not stored; the event names the largest.',
  LogsShipped: 'The output of the bot is in the log archive.',
  LogsShippingFailed: 'The output could not be stored. drover retries.',
  LogsDropped: 'Output was rotated away before it could be stored; `bytes` says how much.',
  CodeEntriesSkipped:
    'The code archive holds links, devices, or paths that lead out of the folder. They were not unpacked.',
} as const;

const OUTCOMES = {
  VolumeSynced: 'State and logs were stored from the volume, after the container was gone.',
  VolumeSyncFailed: 'State and logs could not be stored from the volume. drover retries at `retryAt`.',
  ConfigurationDelivered: 'The configuration was delivered to a container that somebody else restarted.',
  ConfigurationDeliveryFailed: 'The configuration could not be delivered. drover retries.',
  ContainerCreateFailed: 'The engine did not create the container.',
  ContainerStartFailed: 'The engine did not start the container.',
  StopSignalSent: 'The stop signal was sent to the container.',
  ContainerStopFailed: 'The engine did not stop the container. drover retries.',
  ContainerRemoveFailed: 'The engine did not remove the container. drover retries.',
} as const;

const INTENTS = {
  ContainerStartRequested: 'drover decided to start the bot; `attempt` numbers the start.',
  ContainerStopRequested: 'drover decided to stop the container; `reason` says why.',
  RetryScheduled: 'drover will try again after `delayMs`; `streak` counts the failures in a row.',
  GaveUp:
    'drover stopped trying: too many crashes (`crashLoop`), an error that cannot pass (`terminal`), or the restart policy.',
  StartTimedOut: 'The start took longer than `START_DEADLINE`.',
  StopTimedOut: 'The container did not end within `KILL_DEADLINE` after SIGKILL was due.',
  HostPressureFound: 'A start waits, because the disk under the engine is nearly full; `free` is the free share.',
  HostPressureGone: 'There is enough free disk space again.',
  ClockSetBack: 'The clock was ahead and is corrected: deadlines and delays count from now.',
  StartCancelled: 'The start was cancelled before its container existed.',
  BotCompleted: 'The bot ended by itself, and its restart policy does not restart it.',
  BotStopped: 'The bot does not run, as its desired state says.',
  BotDeleted: 'The bot is gone. Its log stays.',
} as const;

/** Does not compile when an event has no sentence. */
export const BOT_EVENT_NOTES = { ...SPEC, ...CONTAINER, ...STORAGE, ...OUTCOMES, ...INTENTS } satisfies Record<
  BotEventType,
  string
>;

export const BOT_EVENT_GROUPS: readonly Group<BotEventType>[] = [
  { title: 'The desired state', intro: 'What the document says, and what people request.', events: SPEC },
  { title: 'Containers', intro: 'What drover observed on the engine.', events: CONTAINER },
  { title: 'State and logs', intro: 'What the runtime inside the container reported.', events: STORAGE },
  { title: 'Results', intro: 'What became of a call that drover made.', events: OUTCOMES },
  { title: 'Decisions', intro: 'What drover decided before it acted.', events: INTENTS },
];

const SCHEDULE_SPEC = {
  ScheduleCreated: 'A document of a schedule with this id appeared.',
  ScheduleChanged: 'The spec differs from the one before. `anew`: its slots are other ones, and count from now on.',
  ScheduleRejected: 'The document is not valid. No slot runs until it is.',
  ScheduleAccepted: 'The document is valid again.',
  ScheduleEnabled: 'The document enables the schedule.',
  ScheduleDisabled: 'The document disables the schedule, or the whole fleet is drained.',
  ScheduleDeletionRequested: 'The document was deleted. Runs in progress are stopped.',
  ScheduleDeleted: 'The schedule is gone. Its log stays.',
  SchedulePaused: 'A person paused the schedule, or it paused itself after failures in a row.',
  ScheduleResumed: 'The schedule is no longer paused.',
  BackfillAccepted: 'Somebody requested runs for slots of the past; all of them are claimed at once.',
  RequestRefused: 'A request could not be carried out; `reason` says why.',
} as const;

const RUNS = {
  RunClaimed: 'The slot belongs to this run, and no other run can claim it.',
  SlotsSetBack: 'The clock was ahead and is corrected: slots count from now, without those that have a run already.',
  SlotsPassed: 'Slots in this range did not run; `reason` says why.',
  RunDropped: 'A claimed run was cancelled before its container was requested.',
  RunBegun: 'The container of the run was requested. `writes`: this run may write the state.',
  RunStarted: 'The container of the run runs for the first time; `latenessMs` is counted from the slot.',
  RunStopRequested: 'drover decided to stop the run; `reason` says why.',
  RunEnded: 'The run ended; `outcome` says how.',
  RunsForgotten: 'Old runs are no longer listed. Their events stay in the log.',
} as const;

export const SCHEDULE_EVENT_NOTES = { ...SCHEDULE_SPEC, ...RUNS } satisfies Record<ScheduleEventType, string>;

export const SCHEDULE_EVENT_GROUPS: readonly Group<ScheduleEventType>[] = [
  { title: 'The schedule', intro: 'What the document says, and what people request.', events: SCHEDULE_SPEC },
  { title: 'Slots and runs', intro: 'What became of each slot.', events: RUNS },
];
