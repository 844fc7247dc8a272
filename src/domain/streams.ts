/** The kinds of log, and whose each is. */
import { botOfStream, botStream } from './bot-event.ts';
import { runOfStream, runStream } from './run-id.ts';
import { scheduleOfStream, scheduleStream } from './schedule-event.ts';

export interface StreamKind {
  readonly of: (id: string) => string;
  /** Undefined for a stream of another kind. */
  readonly idOf: (stream: string) => string | undefined;
}

export const BOT_STREAMS: StreamKind = { of: botStream, idOf: botOfStream };
export const RUN_STREAMS: StreamKind = { of: runStream, idOf: runOfStream };
export const SCHEDULE_STREAMS: StreamKind = { of: scheduleStream, idOf: scheduleOfStream };
