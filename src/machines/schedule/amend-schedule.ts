/** What a schedule remembers of each event. Reads only the event and the context. */
import { assertNever } from '../../domain/errors.ts';
import { slotOfKey } from '../../domain/run-key.ts';
import type { RunOutcome, ScheduleEvent } from '../../domain/schedule-event.ts';
import type { ActiveRun, ScheduleContext } from '../../domain/schedule-state.ts';
import { remembered } from '../requests.ts';
import { emptySchedule } from './empty-context.ts';

const KEPT_ENDED = 10;

const taken = ({ requests }: ScheduleContext, requestId: string | undefined): readonly string[] =>
  requestId === undefined ? requests : remembered(requests, [requestId]);

const withRun = (context: ScheduleContext, key: string, change: Partial<ActiveRun>): Partial<ScheduleContext> => ({
  runs: context.runs.map((run) => (run.key === key ? { ...run, ...change } : run)),
});
const withoutRun = ({ runs }: ScheduleContext, key: string): readonly ActiveRun[] =>
  runs.filter((run) => run.key !== key);

/** A clock that was set back gives no slot a second time (fault R44). */
const forward = ({ cursor }: ScheduleContext, at: number): number => Math.max(cursor, at);

/** Every slot up to `slot` is decided. */
const upTo = (context: ScheduleContext, slot: number): Partial<ScheduleContext> => {
  const cursor = Math.max(context.cursor, slot);
  return { cursor, ...(context.ran === undefined ? {} : { ran: context.ran.filter(({ to }) => to > cursor) }) };
};

/** A slot runs: the clock is as it should be. */
const clockAgain = ({ clockBack }: ScheduleContext): Partial<ScheduleContext> =>
  clockBack == null ? {} : { clockBack: null };

const waiting = (claim: Pick<ActiveRun, 'key' | 'scheduledAt' | 'dueAt' | 'trigger' | 'claimedAt'>): ActiveRun => ({
  ...claim,
  begunAt: null,
  writes: true,
  attempt: 0,
  startedAt: null,
  stop: null,
});

/** A run that we ended ourselves says nothing about the bot. */
const countsAs = (outcome: RunOutcome): 'succeeded' | 'failed' | undefined =>
  outcome === 'succeeded' ? 'succeeded' : outcome === 'failed' || outcome === 'timedOut' ? 'failed' : undefined;

const ended = (
  context: ScheduleContext,
  event: Extract<ScheduleEvent, { type: 'RunEnded' }>,
): Partial<ScheduleContext> => {
  const { key, outcome, endedAt, attempt, unsynced } = event;
  const run = context.runs.find((one) => one.key === key);
  const scheduledAt = run?.scheduledAt ?? endedAt;
  const kind = countsAs(outcome);
  const { listed, failuresInRow } = context;
  return {
    runs: withoutRun(context, key),
    ended: [...context.ended, { key, scheduledAt, outcome, endedAt, ...(unsynced === true ? { unsynced } : {}) }].slice(
      -KEPT_ENDED,
    ),
    listed: kind === undefined ? listed : { ...listed, [kind]: listed[kind] + 1 },
    failuresInRow: kind === undefined ? failuresInRow : kind === 'failed' ? failuresInRow + 1 : 0,
    attempt: Math.max(context.attempt, attempt),
    writerAttempt: run?.writes === false ? context.writerAttempt : Math.max(context.writerAttempt, attempt),
  };
};

/** The part of the context that `event` changes. */
export const amendSchedule = (context: ScheduleContext, event: ScheduleEvent): Partial<ScheduleContext> => {
  const { at } = event;
  switch (event.type) {
    case 'ScheduleCreated':
      // Starts go on counting, as those of bots do.
      return {
        ...emptySchedule,
        incarnation: event.incarnation,
        attempt: context.attempt,
        writerAttempt: context.writerAttempt,
        requests: context.requests,
        cursor: forward(context, at),
        anchorAt: at,
        ...(context.ran === undefined ? {} : { ran: context.ran }),
      };
    case 'ScheduleChanged': {
      const { generation, hash: specHash, version: specVersion, cron } = event;
      // Slots of another text count from now on: what it would have meant in the past was never wished.
      return {
        generation,
        specHash,
        specVersion,
        cron,
        rejected: null,
        ...(event.anew ? { cursor: forward(context, at), anchorAt: at } : {}),
      };
    }
    case 'ScheduleRejected':
      return { rejected: { code: event.code, reason: event.reason } };
    case 'ScheduleAccepted':
      return { rejected: null };
    case 'ScheduleEnabled':
      // Enabled again it does not fire at once (pitfall 52).
      return { wanted: true, stopReason: null, cursor: forward(context, at) };
    case 'ScheduleDisabled':
      return { wanted: false, stopReason: event.reason === 'drain' ? 'drained' : 'disabled' };
    case 'ScheduleDeletionRequested':
      return { wanted: false, deleting: true, stopReason: 'deleted' };
    case 'ScheduleDeleted':
      return { deleting: false, paused: null, rejected: null };
    case 'SchedulePaused': {
      const { author, note, until } = event;
      const paused = { since: at, author, note, ...(until === undefined ? {} : { until }) };
      return { paused, failuresInRow: 0, requests: taken(context, event.requestId) };
    }
    case 'ScheduleResumed':
      return { paused: null, failuresInRow: 0, requests: taken(context, event.requestId) };
    case 'BackfillAccepted':
      return {
        runs: [
          ...context.runs,
          ...event.runs.map((run) => waiting({ ...run, dueAt: at, trigger: 'backfill', claimedAt: at })),
        ],
        requests: taken(context, event.requestId),
      };
    case 'RequestRefused':
      return { requests: taken(context, event.requestId) };
    case 'RunClaimed': {
      const { key, scheduledAt, dueAt, trigger } = event;
      const ofCron = trigger === 'slot' || trigger === 'catchUp';
      return {
        runs: [...context.runs, waiting({ key, scheduledAt, dueAt, trigger, claimedAt: at })],
        requests: taken(context, event.requestId),
        ...(ofCron ? { ...upTo(context, slotOfKey(key) ?? scheduledAt), ...clockAgain(context) } : {}),
      };
    }
    case 'SlotsPassed':
      return upTo(context, event.to);
    case 'SlotsSetBack':
      return {
        cursor: at,
        anchorAt: Math.min(context.anchorAt, at),
        ran: event.ran,
        clockBack: { at, byMs: event.byMs },
      };
    case 'RunDropped':
      return { runs: withoutRun(context, event.key) };
    case 'RunBegun':
      return withRun(context, event.key, {
        begunAt: at,
        writes: event.writes,
        attempt: event.attempt,
        ...(event.terms === undefined ? {} : { terms: event.terms }),
      });
    case 'RunStarted':
      return { ...withRun(context, event.key, { startedAt: event.startedAt }), late: event.late };
    case 'RunStopRequested':
      return withRun(context, event.key, { stop: event.reason });
    case 'RunEnded':
      return ended(context, event);
    case 'RunsForgotten': {
      const { succeeded, failed } = context.listed;
      return {
        listed: { succeeded: Math.max(0, succeeded - event.succeeded), failed: Math.max(0, failed - event.failed) },
      };
    }
    default:
      return assertNever(event);
  }
};
