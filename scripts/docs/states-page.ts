import type { StatePath } from '../../src/domain/bot-state.ts';
import type { Condition } from '../../src/domain/running-bot.ts';
import type { SchedulePath } from '../../src/domain/schedule-state.ts';
import { botMachine } from '../../src/machines/bot-machine.ts';
import { scheduleMachine } from '../../src/machines/schedule/schedule-machine.ts';
import { code, next, page, table } from './markdown.ts';
import { stateDiagram } from './state-diagram.ts';

const BOT_STATES = {
  stopped: 'No container runs, and none is to start now.',
  starting: 'A container is being created and started.',
  running: 'The container of the bot runs.',
  stopping: 'The container was asked to stop, and drover waits for its end.',
  'failed.backingOff': 'The last attempt failed. drover tries again at the time in `notBefore`.',
  'failed.exhausted':
    'drover gave up. The bot stays in this state until its spec changes, or until `drover reset <bot>`.',
  deleted: 'The document is gone, and so is the container. The log stays.',
} as const satisfies Record<StatePath, string>;

const SCHEDULE_STATES = {
  disabled: 'The document disables the schedule. No slot runs.',
  armed: 'Slots run when they are due.',
  paused: 'No slot runs until the schedule is resumed. Requested runs and backfills still run.',
  deleted: 'The document is gone. The log stays.',
} as const satisfies Record<SchedulePath, string>;

interface Note {
  readonly of: string;
  readonly meaning: string;
  /** Without those that are an error code in CamelCase. */
  readonly reasons: Readonly<Record<string, string>>;
}

const CONDITIONS = {
  Ready: {
    of: 'bots',
    meaning: 'True while the container of the bot runs.',
    reasons: {
      Running: 'The container runs.',
      PausedExternally: 'Somebody paused the container. Resume it with `docker unpause`.',
      'Stopped, Starting, Stopping, Failed, Deleted': 'The bot is in this state.',
      'an error code in CamelCase':
        'The state is unknown at present (status Unknown): the engine does not answer, or nothing can be recorded. The message says since when, why, and the last known state.',
    },
  },
  Progressing: {
    of: 'bots',
    meaning: 'True while drover is changing something, or waits for the next attempt.',
    reasons: {
      'Starting, Stopping': 'A start or a stop is in progress; the message names its deadline.',
      BackingOff: 'drover waits before the next attempt; the message names the time.',
      HostPressure: 'A start waits for free disk space under the engine.',
      ForeignInstance:
        'A container of the0, or of another install of drover, runs this bot. A start waits until it is gone.',
      AtRest: 'Nothing is planned.',
    },
  },
  Degraded: {
    of: 'bots',
    meaning: 'True when something is wrong with the bot.',
    reasons: {
      CrashLoop: 'The bot crashed MAX_CRASHES times within CRASH_WINDOW, and drover gave up.',
      'AppError, Oom, KilledByOthers, StartError, EngineLost, Completed, StoppedByUs':
        'The exit class of the last end. `Completed` with status False: the bot ended, and its restart policy does not restart it.',
      NeverStarted: 'The bot has not run yet.',
      'an error code in CamelCase': 'The last attempt failed with this error.',
      AsWished: 'Nothing is wrong.',
    },
  },
  SpecValid: {
    of: 'bots and schedules',
    meaning: 'False when the newest document is not valid. The last valid spec stays in force for a bot.',
    reasons: {
      Accepted: 'The document is valid; the message names its generation.',
      NotSeenYet: 'No reconcile pass has read the document yet (status Unknown).',
      'an error code in CamelCase': 'The document is refused.',
    },
  },
  SpecClear: {
    of: 'bots and schedules',
    meaning:
      'Present, with status False, while the newest document counts but is probably not meant as drover reads it. `drover apply` and the API refuse such a document.',
    reasons: {
      DocumentUnclear: 'The message names each field, and the name or the value that was probably meant.',
    },
  },
  CodeComplete: {
    of: 'bots',
    meaning: 'Present, with status False, while the bot runs without a part of its code archive.',
    reasons: {
      EntriesSkipped:
        'The archive holds links, devices, or paths that lead out of the folder. The message names them; see [custom.filePath](bot-yaml.md#customfilepath).',
    },
  },
  StateSynced: {
    of: 'bots',
    meaning: 'True when the state of the bot is in the archive store.',
    reasons: {
      Kept: 'The newest state is stored.',
      Unsynced: 'The state is on the volume alone, and is stored as soon as the archive store answers.',
      OverLimit: 'Files over the size limits are not stored; the message names them.',
      NotReported: 'Nothing has been reported yet.',
      ReportStale: 'The bot runs, but its sync daemon has reported nothing new for three minutes.',
      'an error code in CamelCase': 'The last sync failed with this error.',
    },
  },
  LogsShipped: {
    of: 'bots',
    meaning: 'True when the output of the bot is in the log archive.',
    reasons: {
      Kept: 'All output is stored; the message says when output was dropped.',
      Unsynced: 'Output is on the volume alone, and is stored as soon as the archive store answers.',
      NotReported: 'Nothing has been reported yet.',
      ReportStale: 'The bot runs, but its sync daemon has reported nothing new for three minutes.',
      'an error code in CamelCase': 'The last upload failed with this error.',
    },
  },
  ReconcileFailing: {
    of: 'bots and schedules',
    meaning:
      'True while passes over it fail, with the count and since when. Absent otherwise. What fails for good is tried again after 5 s, then ever more rarely, at least every 5 min.',
    reasons: { 'the code of the error': 'The reason in CamelCase; see the [errors](errors.md).' },
  },
  LogCorrupt: {
    of: 'bots and schedules',
    meaning:
      'True while its log cannot be read; the message names the event and the position. Its state is `unknown`, drover leaves its container as it is, and all others go on. Absent otherwise.',
    reasons: { EventIllegal: 'The log has an event that cannot be there, or that this version does not know.' },
  },
  ScheduleHealthy: {
    of: 'schedules',
    meaning: 'True while slots run when they are due.',
    reasons: {
      AsWished: 'Slots run when they are due.',
      Disabled: 'The schedule is disabled (status Unknown).',
      ClockBehind: 'The clock was ahead and was set back. Slots count from then; the next one that runs ends this.',
      Paused: 'The schedule is paused; the message says by whom and until when.',
      RunFailed: 'The last run, or the last runs, failed.',
      Late: 'The latest run started later than `maxLatenessSeconds` allows.',
      'an error code in CamelCase': 'The document is refused; or the state is unknown at present (status Unknown).',
    },
  },
} as const satisfies Record<Condition['type'], Note>;

const states = (notes: Readonly<Record<string, string>>): string =>
  table(
    ['state', 'meaning'],
    Object.entries(notes).map(([name, note]) => [code(name), note]),
  );

export const statesPage = (): string =>
  page(
    '# States and conditions',
    'This page is for operators who read `drover get`, and for programs that read the API. It lists every state and every condition.',
    '## States of a bot',
    'Every bot has one statechart. `status` in the API is the part before the point, `state` is the whole path.',
    states(BOT_STATES),
    stateDiagram(botMachine),
    '## States of a schedule',
    states(SCHEDULE_STATES),
    stateDiagram(scheduleMachine),
    '## Conditions',
    'A condition has a `type`, a `status` (True, False or Unknown), a stable `reason` in CamelCase, a `message` for people, and the time of its last change.',
    ...Object.entries(CONDITIONS).map(([type, { of, meaning, reasons }]) =>
      [
        `### ${type}`,
        `Of ${of}. ${meaning}`,
        table(
          ['reason', 'meaning'],
          Object.entries(reasons).map(([reason, note]) => [reason, note]),
        ),
      ].join('\n\n'),
    ),
    next(
      '[Events and transitions](events.md)',
      '[Troubleshoot](../how-to/troubleshoot.md): what to do about each condition',
      '[Errors](errors.md)',
    ),
  );
