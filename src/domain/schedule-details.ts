/** What there is to say of an event of a schedule beyond its name, for the transition log. */
import type { ScheduleEvent } from './schedule-event.ts';

type Details = Readonly<Record<string, string | number>>;

const iso = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z');

/** Absent members stay away. */
const only = (pairs: Readonly<Record<string, string | number | null | undefined>>): Details =>
  Object.fromEntries(
    Object.entries(pairs).filter(
      (pair): pair is [string, string | number] => pair[1] !== undefined && pair[1] !== null,
    ),
  );

export const scheduleDetails = (event: ScheduleEvent): Details => {
  switch (event.type) {
    case 'ScheduleCreated':
      return only({ incarnation: event.incarnation });
    case 'ScheduleChanged':
      return only({ generation: event.generation, cron: event.cron });
    case 'ScheduleRejected':
      return only({ code: event.code, reason: event.reason });
    case 'ScheduleDisabled':
      return only({ reason: event.reason });
    case 'SchedulePaused':
      return only({
        actor: event.author,
        note: event.note,
        until: event.until === undefined ? undefined : iso(event.until),
      });
    case 'ScheduleResumed':
      return only({ actor: event.author });
    case 'BackfillAccepted':
      return only({
        actor: event.actor,
        first: iso(event.from),
        last: iso(event.to),
        runs: event.runs.length,
        refused: event.refused,
      });
    case 'RequestRefused':
      return only({ actor: event.actor, reason: event.reason });
    case 'RunClaimed':
      return only({ run: event.key, trigger: event.trigger, actor: event.actor });
    case 'SlotsPassed':
      return only({
        reason: event.reason,
        count: event.more === true ? `${String(event.count)}+` : event.count,
        first: iso(event.from),
        last: event.to === event.from ? undefined : iso(event.to),
      });
    case 'SlotsSetBack':
      return only({ byMs: event.byMs, ranges: event.ran.length });
    case 'RunDropped':
    case 'RunStopRequested':
      return only({ run: event.key, reason: event.reason });
    case 'RunBegun':
      return only({ run: event.key, state: event.writes ? undefined : 'read-only' });
    case 'RunStarted':
      return only({ run: event.key, latenessMs: event.latenessMs, late: event.late ? 'true' : undefined });
    case 'RunEnded':
      return only({
        run: event.key,
        outcome: event.outcome,
        class: event.exitClass,
        exitCode: event.exitCode,
        tries: event.attempts,
        detail: event.detail,
      });
    case 'RunsForgotten':
      return only({ runs: event.keys.length });
    case 'ScheduleAccepted':
    case 'ScheduleEnabled':
    case 'ScheduleDeletionRequested':
    case 'ScheduleDeleted':
      return {};
  }
};
