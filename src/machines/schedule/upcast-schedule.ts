/** Stored events of schedules as today's, and back. The first step comes when SCHEDULE_EVENT_SCHEMA grows (§6 rule 7). */
import { DroverError } from '../../domain/errors.ts';
import type { StoredEvent } from '../../domain/recorded.ts';
import { SCHEDULE_EVENT_SCHEMA, type ScheduleEvent } from '../../domain/schedule-event.ts';

/** @throws DroverError EVENT_ILLEGAL for a schema that this version does not know */
export const upcastSchedule = ({ type, schema, data }: StoredEvent): ScheduleEvent => {
  if (schema !== SCHEDULE_EVENT_SCHEMA) {
    throw new DroverError('EVENT_ILLEGAL', `${type} has schema ${String(schema)}, written by another drover`);
  }
  // What the type promises is what the fold accepts: it refuses an unknown type, so the cast cannot hide one.
  return { type, ...data } as unknown as ScheduleEvent;
};

export const toStoredSchedule = (event: ScheduleEvent): StoredEvent => {
  const { type, ...data } = event;
  return { type, schema: SCHEDULE_EVENT_SCHEMA, data };
};
