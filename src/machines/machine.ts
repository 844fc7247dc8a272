/**
 * The two machines as the controllers use them: a first state, a strict fold, and how stored events are read. A run is a bot
 * with a log of its own; what is common to all three kinds of log stays common.
 */
import type { BotEvent } from '../domain/bot-event.ts';
import type { BotState } from '../domain/bot-state.ts';
import type { StoredEvent } from '../domain/recorded.ts';
import type { ScheduleEvent } from '../domain/schedule-event.ts';
import type { ScheduleState } from '../domain/schedule-state.ts';
import { MACHINE_VERSION } from './bot-machine.ts';
import { evolve, initialState } from './evolve.ts';
import { evolveSchedule, initialSchedule } from './schedule/evolve-schedule.ts';
import { SCHEDULE_MACHINE_VERSION } from './schedule/schedule-machine.ts';
import { upcast } from './upcast.ts';
import { upcastSchedule } from './schedule/upcast-schedule.ts';

/** What every fold says of itself. */
export interface AnyState {
  readonly at: string;
  readonly context: { readonly since: number; readonly attempt: number };
}

export interface Machine<S extends AnyState, E extends { readonly at: number; readonly type: string }> {
  readonly initial: S;
  /** Raised when the meaning of a stored snapshot changes. */
  readonly version: number;
  /** @throws DroverError EVENT_ILLEGAL */
  readonly evolve: (state: S, event: E) => S;
  /** @throws DroverError EVENT_ILLEGAL for a schema that is not known */
  readonly upcast: (stored: StoredEvent) => E;
}

export const BOT: Machine<BotState, BotEvent> = { initial: initialState, version: MACHINE_VERSION, evolve, upcast };

export const SCHEDULE: Machine<ScheduleState, ScheduleEvent> = {
  initial: initialSchedule,
  version: SCHEDULE_MACHINE_VERSION,
  evolve: evolveSchedule,
  upcast: upcastSchedule,
};
