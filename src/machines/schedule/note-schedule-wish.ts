/** (state, desired) → the next fact about what is wished of a schedule, or nothing. */
import type { DesiredSchedule, ScheduleRequest, ScheduleSpec } from '../../domain/schedule.ts';
import type { ScheduleEvent } from '../../domain/schedule-event.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';

type SpecWish = Extract<DesiredSchedule, { kind: 'spec' }>;
type InvalidWish = Extract<DesiredSchedule, { kind: 'invalid' }>;

const isUnborn = ({ at, context }: ScheduleState): boolean => context.incarnation === 0 || at === 'deleted';

/** What its slots depend on, and nothing else: the same text in other words is the same. */
export const cronMeaning = ({ cron }: ScheduleSpec): string =>
  cron.kind === 'every'
    ? `@every ${String(cron.everyMs)}ms`
    : `${cron.pattern} ${cron.timeZone} ${cron.hours} ${cron.inGap}`;

/** A request that needs no look at its past. Backfills are taken where that is known. */
const noteRequest = (state: ScheduleState, request: ScheduleRequest, at: number): ScheduleEvent | undefined => {
  const { requestId, actor, reason } = request;
  const { paused, deleting } = state.context;
  const refused = (why: string): ScheduleEvent => ({ type: 'RequestRefused', at, requestId, actor, reason: why });
  if (deleting) return refused('the schedule is being deleted');
  switch (request.kind) {
    case 'pause': {
      const { until } = request;
      if (until !== undefined && until <= at) return refused('the end of the pause is in the past');
      return {
        type: 'SchedulePaused',
        at,
        author: actor,
        note: reason,
        requestId,
        ...(until === undefined ? {} : { until }),
      };
    }
    case 'resume':
      return paused === null
        ? refused('the schedule is not paused')
        : { type: 'ScheduleResumed', at, author: actor, requestId };
    default:
      return state.at === 'disabled' ? refused('the schedule is disabled') : undefined;
  }
};

const noteSpec = (state: ScheduleState, desired: SpecWish, at: number): ScheduleEvent | undefined => {
  const { context } = state;
  const { spec, hash } = desired;
  if (hash !== context.specHash) {
    const cron = cronMeaning(spec);
    const generation = context.generation + 1;
    return {
      type: 'ScheduleChanged',
      at,
      generation,
      hash,
      version: spec.bot.code.version,
      cron,
      anew: cron !== context.cron,
    };
  }
  if (context.rejected !== null) return { type: 'ScheduleAccepted', at };
  const wanted = desired.enabled && !desired.drained;
  if (wanted !== context.wanted) {
    return wanted
      ? { type: 'ScheduleEnabled', at }
      : { type: 'ScheduleDisabled', at, reason: desired.enabled ? 'drain' : 'document' };
  }
  for (const request of desired.requests) {
    if (context.requests.includes(request.requestId)) continue;
    // In the order they were asked: what waits for more holds up what comes after it.
    return noteRequest(state, request, at);
  }
  return undefined;
};

const noteInvalid = ({ context }: ScheduleState, desired: InvalidWish, at: number): ScheduleEvent | undefined => {
  const { code, reason } = desired;
  if (context.rejected?.code !== code || context.rejected.reason !== reason) {
    return { type: 'ScheduleRejected', at, code, reason };
  }
  return desired.enabled === false && context.wanted ? { type: 'ScheduleDisabled', at, reason: 'document' } : undefined;
};

/** Note one difference between the log and the wish; called again until there is none. */
export const noteScheduleWish = (
  state: ScheduleState,
  desired: DesiredSchedule,
  at: number,
): ScheduleEvent | undefined => {
  if (desired.kind === 'unknown') return undefined;
  if (desired.kind === 'gone') {
    return isUnborn(state) || state.context.deleting ? undefined : { type: 'ScheduleDeletionRequested', at };
  }
  if (state.context.deleting) return undefined;
  if (isUnborn(state)) return { type: 'ScheduleCreated', at, incarnation: state.context.incarnation + 1 };
  return desired.kind === 'spec' ? noteSpec(state, desired, at) : noteInvalid(state, desired, at);
};
