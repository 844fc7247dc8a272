/** (state, desired, runs, now) → the next decision about slots and runs, or nothing. Called again until there is none. */
import { nextSlot } from '../../domain/cron/next-slot.ts';
import type { Schedule } from '../../domain/cron/schedule.ts';
import { slotsBetween } from '../../domain/cron/slots-between.ts';
import { commandKey, slotKey } from '../../domain/run-key.ts';
import {
  BACKFILL_MOST,
  type DesiredSchedule,
  type RunView,
  type ScheduleRequest,
  type ScheduleSpec,
} from '../../domain/schedule.ts';
import type { RunStopReason, ScheduleEvent } from '../../domain/schedule-event.ts';
import { termsOf } from '../../domain/schedule-policy.ts';
import type { ActiveRun, ScheduleContext, ScheduleState } from '../../domain/schedule-state.ts';
import { nextDecision, type SlotDecision } from './due-slots.ts';
import { jitterOf } from './jitter.ts';
import { settingBack } from './set-back.ts';

export interface ScheduleCircumstances {
  readonly id: string;
  readonly desired: DesiredSchedule;
  /** Of the runs that were begun. */
  readonly runs: ReadonlyMap<string, RunView>;
  /** Keys of all runs that were ever claimed; read from the log where a backfill waits for it, or the clock was set back. */
  readonly claimed?: ReadonlySet<string>;
  /** Epoch milliseconds. */
  readonly now: number;
}

const specOf = ({ desired }: ScheduleCircumstances): ScheduleSpec | undefined =>
  desired.kind === 'spec' ? desired.spec : undefined;

/** `@every` beats from where the log says. */
export const anchored = (schedule: Schedule, { anchorAt }: ScheduleContext): Schedule =>
  schedule.kind === 'every' ? { ...schedule, anchorAt: Math.floor(anchorAt / 1_000) * 1_000 } : schedule;

const isBegun = ({ begunAt }: ActiveRun): boolean => begunAt !== null;

/** Nothing is wished any more: what waits is dropped, what runs is asked to end. */
const winding = ({ context }: ScheduleState, now: number): ScheduleEvent | undefined => {
  const reason = context.stopReason ?? 'disabled';
  for (const run of context.runs) {
    if (!isBegun(run)) return { type: 'RunDropped', at: now, key: run.key, reason };
    if (run.stop === null) return { type: 'RunStopRequested', at: now, key: run.key, reason };
  }
  return context.deleting && context.runs.length === 0 ? { type: 'ScheduleDeleted', at: now } : undefined;
};

const stopRun = (key: string, reason: RunStopReason, at: number): ScheduleEvent => ({
  type: 'RunStopRequested',
  at,
  key,
  reason,
});

/** How long a run may take: it began with that, or the document of today says it. */
const longest = ({ terms }: ActiveRun, spec: ScheduleSpec | undefined): number =>
  (terms ?? spec?.policy)?.maxRunMs ?? Infinity;

/** A run that takes too long is stopped, also when its document cannot be understood meanwhile. */
const overtime = (
  { context }: ScheduleState,
  spec: ScheduleSpec | undefined,
  now: number,
): ScheduleEvent | undefined => {
  const late = context.runs.find(
    (run) => run.startedAt !== null && run.stop === null && now - run.startedAt >= longest(run, spec),
  );
  return late === undefined ? undefined : stopRun(late.key, 'timedOut', now);
};

/**
 * A slot whose turn comes while others are there. Those of one catching-up do not stand in each other's way, and a backfill
 * stands in nobody's: it goes on between the slots.
 */
const standing = ({ runs }: ScheduleContext, now: number): readonly ActiveRun[] =>
  runs.filter(
    ({ trigger, claimedAt, stop }) =>
      trigger !== 'backfill' && (trigger !== 'catchUp' || claimedAt !== now) && stop !== 'nextSlot',
  );
const isWaiting = (run: ActiveRun): boolean => !isBegun(run);

export const passed = (decision: Extract<SlotDecision, { kind: 'pass' }>, at: number): ScheduleEvent => {
  const { from, to, count, more, reason } = decision;
  return { type: 'SlotsPassed', at, from, to, count, reason, ...(more ? { more } : {}) };
};

const claim = (
  { context }: ScheduleState,
  { policy }: ScheduleSpec,
  decision: Extract<SlotDecision, { kind: 'run' }>,
  { now, runs }: ScheduleCircumstances,
): ScheduleEvent => {
  const { slot, dueAt, isLate } = decision;
  // What is still to be caught up with is not the one that may wait: else a catching-up would lose slots of its own.
  const waits = context.runs.some((run) => isWaiting(run) && run.trigger === 'slot');
  const inTheWay = standing(context, now);
  // Tries that failed are made until the next slot, whose run is a new try itself (feature D13).
  const retrying = inTheWay.find(({ key, stop }) => stop === null && runs.get(key)?.retrying === true);
  if (retrying !== undefined && policy.overlap !== 'allow') return stopRun(retrying.key, 'nextSlot', now);
  const busy = inTheWay.length > 0;
  if (busy && (policy.overlap === 'forbid' || (policy.overlap === 'queueOne' && waits))) {
    return { type: 'SlotsPassed', at: now, from: slot, to: slot, count: 1, reason: 'overlap' };
  }
  return {
    type: 'RunClaimed',
    at: now,
    key: slotKey(slot),
    scheduledAt: slot,
    dueAt,
    trigger: isLate ? 'catchUp' : 'slot',
  };
};

const pausing = (
  state: ScheduleState,
  spec: ScheduleSpec,
  { now }: ScheduleCircumstances,
): ScheduleEvent | undefined => {
  const { paused, failuresInRow } = state.context;
  const { pauseAfterFailures: most } = spec.policy;
  if (state.at === 'armed' && most > 0 && failuresInRow >= most) {
    const note = `${String(failuresInRow)} runs in a row failed; no slot runs until the schedule is resumed`;
    return { type: 'SchedulePaused', at: now, author: 'drover', note };
  }
  const until = paused?.until;
  return state.at === 'paused' && until !== undefined && until <= now
    ? { type: 'ScheduleResumed', at: now, author: 'drover' }
    : undefined;
};

/** Under `replace` a newer claim takes the place of what waits and of what runs. */
const replacing = ({ context }: ScheduleState, { policy }: ScheduleSpec, now: number): ScheduleEvent | undefined => {
  if (policy.overlap !== 'replace') return undefined;
  const newest = context.runs.findLast(({ trigger }) => trigger === 'slot');
  if (newest === undefined || isBegun(newest)) return undefined;
  const older = context.runs.slice(0, context.runs.indexOf(newest)).filter(({ trigger }) => trigger !== 'manual');
  const waiting = older.find((run) => !isBegun(run));
  if (waiting !== undefined) return { type: 'RunDropped', at: now, key: waiting.key, reason: 'replaced' };
  const going = older.find((run) => isBegun(run) && run.stop === null);
  return going === undefined ? undefined : stopRun(going.key, 'replaced', now);
};

/** The next run that waits, when its turn has come. */
const beginning = ({ context }: ScheduleState, { policy }: ScheduleSpec, now: number): ScheduleEvent | undefined => {
  const waits = context.runs.filter(isWaiting);
  const next = waits.find(({ trigger }) => trigger !== 'backfill') ?? waits[0];
  if (next === undefined) return undefined;
  const { startDeadlineMs } = policy;
  if (
    next.trigger !== 'manual' &&
    next.trigger !== 'backfill' &&
    startDeadlineMs !== undefined &&
    now - next.dueAt > startDeadlineMs
  ) {
    return { type: 'RunDropped', at: now, key: next.key, reason: 'deadline' };
  }
  const going = context.runs.filter(isBegun);
  if (going.length > 0 && policy.overlap !== 'allow') return undefined;
  // Nobody means hundreds of containers at once by a range of the past.
  if (next.trigger === 'backfill' && going.some(({ trigger }) => trigger === 'backfill')) return undefined;
  // Numbers of starts are set apart, so that two that go on at once never share one.
  const attempt = Math.max(context.attempt, ...going.map((run) => run.attempt + (run.terms ?? policy).retries + 1));
  const writes = !going.some((run) => run.writes);
  return { type: 'RunBegun', at: now, key: next.key, writes, attempt, terms: termsOf(policy) };
};

const isNew = ({ context }: ScheduleState, { requestId }: ScheduleRequest): boolean =>
  !context.requests.includes(requestId);

type Backfill = Extract<ScheduleRequest, { kind: 'backfill' }>;

/** Runs of one kind that may wait for their turn. Each stays in the state of the schedule until it has ended. */
const WAITING_MOST = { backfill: 2_500, manual: 100 } as const;

const waitingFor = ({ runs }: ScheduleContext, kind: keyof typeof WAITING_MOST): number =>
  runs.filter((run) => run.trigger === kind && isWaiting(run)).length;

/** The slots of a range, each a run of its own; one that was claimed before only when that is asked for (feature D9). */
const backfill = (
  { at, context }: ScheduleState,
  { from, to, again, requestId, actor }: Backfill,
  { cron }: ScheduleSpec,
  { claimed, now }: ScheduleCircumstances,
): ScheduleEvent | undefined => {
  if (claimed === undefined) return undefined;
  const refuse = (reason: string): ScheduleEvent => ({ type: 'RequestRefused', at: now, requestId, actor, reason });
  if (to > now) return refuse('the range ends in the future; slots of the future run when they are due');
  // Slots whose turn is still to come, because of their jitter, run by themselves.
  const last = at === 'armed' ? Math.min(to, context.cursor) : to;
  const { slots, more } = slotsBetween(anchored(cron, context), from - 1, last, BACKFILL_MOST);
  if (more) return refuse(`the range has more than ${String(BACKFILL_MOST)} slots`);
  const taken = (slot: number): boolean => claimed.has(slotKey(slot));
  const runs = slots
    .filter((slot) => again || !taken(slot))
    .map((slot) => ({
      key: taken(slot) ? commandKey(requestId, slots.indexOf(slot)) : slotKey(slot),
      scheduledAt: slot,
    }));
  if (waitingFor(context, 'backfill') + runs.length > WAITING_MOST.backfill) {
    return refuse(
      `at most ${String(WAITING_MOST.backfill)} runs of backfills can wait; try again when some have ended`,
    );
  }
  if (runs.length === 0)
    return refuse(slots.length === 0 ? 'the range has no slot' : 'all slots of the range already have a run');
  return { type: 'BackfillAccepted', at: now, requestId, actor, from, to, runs, refused: slots.length - runs.length };
};

const answering = (
  state: ScheduleState,
  spec: ScheduleSpec,
  given: ScheduleCircumstances,
): ScheduleEvent | undefined => {
  const { desired, now } = given;
  const request = desired.kind === 'spec' ? desired.requests.find((one) => isNew(state, one)) : undefined;
  if (request?.kind === 'backfill') return backfill(state, request, spec, given);
  if (request?.kind !== 'trigger') return undefined;
  const { requestId, actor } = request;
  if (waitingFor(state.context, 'manual') >= WAITING_MOST.manual) {
    const reason = `${String(WAITING_MOST.manual)} requested runs already wait for their turn`;
    return { type: 'RequestRefused', at: now, requestId, actor, reason };
  }
  const key = commandKey(requestId);
  if (state.context.runs.some((run) => run.key === key)) {
    return { type: 'RequestRefused', at: now, requestId, actor, reason: 'a run of this request is already there' };
  }
  return { type: 'RunClaimed', at: now, key, scheduledAt: now, dueAt: now, trigger: 'manual', requestId, actor };
};

/** Where the slots of a schedule stand; undefined while nothing is known of them. */
const slots = (state: ScheduleState, spec: ScheduleSpec, given: ScheduleCircumstances): ScheduleEvent | undefined => {
  const { context } = state;
  const { now } = given;
  const schedule = anchored(spec.cron, context);
  if (state.at === 'armed') {
    const offsetMs = jitterOf(given.id, spec.policy.jitterMs);
    const decision = nextDecision({
      schedule,
      policy: spec.policy,
      cursor: context.cursor,
      offsetMs,
      now,
      ran: context.ran ?? [],
    });
    if (decision === undefined) return undefined;
    return decision.kind === 'pass' ? passed(decision, now) : claim(state, spec, decision, given);
  }
  return undefined;
};

/** The next decision. Every policy is applied here and arrives in the event as its result. */
export const intendSchedule = (state: ScheduleState, given: ScheduleCircumstances): ScheduleEvent | undefined => {
  const { context } = state;
  if (context.incarnation === 0 || state.at === 'deleted') return undefined;
  if (state.at === 'disabled') return winding(state, given.now);
  const spec = specOf(given);
  const late = overtime(state, spec, given.now);
  if (late !== undefined || spec === undefined) return late;
  return (
    settingBack(state, anchored(spec.cron, context), given.claimed, given.now) ??
    pausing(state, spec, given) ??
    answering(state, spec, given) ??
    slots(state, spec, given) ??
    replacing(state, spec, given.now) ??
    beginning(state, spec, given.now)
  );
};

/** When something is due though nothing is heard: the next slot, the end of a pause, a deadline. Epoch ms. */
export const nextMoment = (state: ScheduleState, given: ScheduleCircumstances): number | undefined => {
  const spec = specOf(given);
  const { context, at } = state;
  if (at === 'disabled' || at === 'deleted') return undefined;
  const slot =
    at === 'armed' && spec !== undefined ? nextSlot(anchored(spec.cron, context), context.cursor) : undefined;
  const startDeadlineMs = spec?.policy.startDeadlineMs;
  const moments = [
    slot === undefined ? undefined : slot + jitterOf(given.id, spec?.policy.jitterMs ?? 0),
    spec === undefined ? undefined : context.paused?.until,
    ...context.runs.map((run) =>
      run.startedAt === null || run.stop !== null ? undefined : run.startedAt + longest(run, spec),
    ),
    ...context.runs.map(({ begunAt, dueAt }) =>
      begunAt !== null || startDeadlineMs === undefined ? undefined : dueAt + startDeadlineMs + 1,
    ),
  ].filter((moment): moment is number => moment !== undefined && moment > given.now && moment < Infinity);
  return moments.length === 0 ? undefined : Math.min(...moments);
};
