/** What a schedule remembers before its first event. */
import type { ScheduleContext } from '../../domain/schedule-state.ts';

export const emptySchedule: ScheduleContext = {
  incarnation: 0,
  generation: 0,
  specHash: null,
  specVersion: null,
  cron: null,
  wanted: false,
  stopReason: null,
  deleting: false,
  paused: null,
  rejected: null,
  since: 0,
  cursor: 0,
  anchorAt: 0,
  runs: [],
  ended: [],
  listed: { succeeded: 0, failed: 0 },
  failuresInRow: 0,
  late: false,
  attempt: 0,
  writerAttempt: 0,
  requests: [],
};
