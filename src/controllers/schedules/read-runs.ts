/** Events of one schedule from its log. */
import { scheduleStream, type ScheduleEvent } from '../../domain/schedule-event.ts';
import { upcastSchedule } from '../../machines/schedule/upcast-schedule.ts';
import type { EventStore } from '../../ports/event-store.ts';

/** Those with versions ≥ `from`. @throws DroverError STORE_UNAVAILABLE, EVENT_ILLEGAL */
export const readSchedule = async (events: EventStore, id: string, from = 1): Promise<readonly ScheduleEvent[]> =>
  (await events.read(scheduleStream(id), from)).flatMap((commit) =>
    commit.events.filter((_, index) => commit.from + index >= from).map(upcastSchedule),
  );
