/** Keeps the list of runs within its limits: what is listed no more is an event, and stays in the log (feature D11). */
import type { BotId } from '../../domain/bot.ts';
import { toDroverError } from '../../domain/errors.ts';
import { scheduleStream } from '../../domain/schedule-event.ts';
import type { SchedulePolicy } from '../../domain/schedule-policy.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { foldRuns } from '../../machines/schedule/fold-runs.ts';
import { pruneRuns } from '../../machines/schedule/prune-runs.ts';
import { toStoredSchedule } from '../../machines/schedule/upcast-schedule.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Logger } from '../../ports/logger.ts';
import type { FoldStore } from '../fold-store.ts';
import { readSchedule } from './read-runs.ts';

export interface HistoryKeeperOptions {
  readonly events: EventStore;
  readonly states: FoldStore<ScheduleState>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Beyond a limit by this share the log is read; else every run of a long history would read all of it. */
const SLACK = 0.1;
/** Ages are looked at this often. */
const AGE_EVERY_MS = 6 * 3_600_000;

/** To be called in the turn of the schedule: it appends to its log. A failure is no failure of the turn. */
export const createHistoryKeeper = ({ events, states, clock, logger }: HistoryKeeperOptions) => {
  const agedAt = new Map<BotId, number>();

  const isFull = ({ listed }: ScheduleState['context'], { keepSucceeded, keepFailed }: SchedulePolicy): boolean =>
    listed.succeeded > Math.floor(keepSucceeded * (1 + SLACK)) || listed.failed > Math.floor(keepFailed * (1 + SLACK));

  const isAgeDue = (id: BotId, { listed }: ScheduleState['context'], now: number): boolean => {
    if (listed.succeeded + listed.failed === 0) return false;
    const last = agedAt.get(id);
    // Not at the first look: at a start there is enough to do.
    if (last === undefined) agedAt.set(id, now);
    return last !== undefined && now - last >= AGE_EVERY_MS;
  };

  return async (id: BotId, policy: SchedulePolicy): Promise<void> => {
    const { state, version } = await states.load(id);
    const now = clock.now();
    const { context } = state;
    const aged = isAgeDue(id, context, now);
    if (!aged && !isFull(context, policy)) return;
    agedAt.set(id, now);
    try {
      const forgotten = pruneRuns(foldRuns(id, await readSchedule(events, id)), policy, now);
      if (forgotten === undefined) return;
      const commit = { stream: scheduleStream(id), expectedVersion: version, events: [toStoredSchedule(forgotten)] };
      states.apply(await events.append({ ...commit, causes: [{ kind: 'timer' }] }));
    } catch (thrown) {
      states.forget(id);
      logger.debug('cannot prune the run history yet', { schedule: id, detail: toDroverError(thrown).message });
    }
  };
};
