/** (state, desired, observation, now) → the next decision, or nothing. Called again until there is none. */
import type { IntentEvent, ContainerEvent, StopReason } from '../domain/bot-event.ts';
import { stopBudgetMs, type BotSpec, type Desired } from '../domain/bot.ts';
import type { BotState } from '../domain/bot-state.ts';
import type { Observation } from '../domain/observation.ts';
import type { BotPolicy } from '../domain/policy.ts';
import { assess } from './assess.ts';
import { clockBehind } from './clock-behind.ts';

export interface Circumstances {
  readonly desired: Desired;
  readonly observation: Observation;
  /** Epoch milliseconds. */
  readonly now: number;
  /** A number in [0, 1), for jitter. */
  readonly random: number;
  readonly policy: BotPolicy;
  /** Free share of the disk under the engine, 0 to 1; undefined when it cannot be told. */
  readonly diskFree?: number | undefined;
}

type Decision = IntentEvent | Extract<ContainerEvent, { type: 'BecameHealthy' }>;

/** For a bot whose document is gone, and that an older drover started: the default stages. */
const DEFAULT_BUDGET_MS = 85_000;

const specOf = (desired: Desired): BotSpec | undefined => (desired.kind === 'spec' ? desired.spec : undefined);

/** Nothing of this bot exists on the engine, as far as a name can tell. */
const isClear = ({ context }: BotState, observation: Observation): boolean =>
  context.container === null && (observation.kind === 'absent' || observation.kind === 'nameTaken');

const mayStart = (state: BotState, { desired, observation }: Circumstances): boolean =>
  state.context.wanted &&
  !state.context.completed &&
  state.context.foreign === null &&
  desired.kind === 'spec' &&
  isClear(state, observation);

/** A start that is due, or why it waits (fault R32: a full disk is no place to start on). */
const start = ({ context }: BotState, { desired, now, policy, diskFree }: Circumstances): Decision | undefined => {
  const noted = context.storage?.pressure !== undefined;
  if (diskFree !== undefined && diskFree < policy.minDiskFree) {
    return noted ? undefined : { type: 'HostPressureFound', at: now, free: diskFree };
  }
  if (noted) return { type: 'HostPressureGone', at: now };
  const spec = specOf(desired);
  return {
    type: 'ContainerStartRequested',
    at: now,
    attempt: context.attempt + 1,
    generation: context.generation,
    hash: context.specHash ?? '',
    deadline: now + policy.startDeadlineMs,
    ...(spec === undefined ? {} : { terms: { restartPolicy: spec.restartPolicy, stopBudgetMs: stopBudgetMs(spec) } }),
  };
};

/** Why the container should stop, or undefined when it should not. */
const whyStop = ({ context }: BotState, desired: Desired): StopReason | undefined => {
  const { container } = context;
  if (!context.wanted) return context.stopReason ?? 'disabled';
  if (container === null || desired.kind !== 'spec') return undefined;
  const drifted = container.specHash !== desired.hash || container.incarnation !== context.incarnation;
  if (drifted) return 'specChanged';
  return context.restartAsked ? 'requested' : undefined;
};

const stop = (state: BotState, { desired, now, policy }: Circumstances): Decision | undefined => {
  const reason = whyStop(state, desired);
  const { container } = state.context;
  if (reason === undefined || container === null) return undefined;
  const spec = specOf(desired);
  const graceMs = spec === undefined ? (state.context.terms?.stopBudgetMs ?? DEFAULT_BUDGET_MS) : stopBudgetMs(spec);
  const killAt = now + graceMs;
  const deadline = killAt + policy.killDeadlineMs;
  return { type: 'ContainerStopRequested', at: now, ref: container.ref, reason, graceMs, killAt, deadline };
};

const isPast = (deadline: number | null, now: number): boolean => deadline !== null && now >= deadline;

const whileStarting = (state: BotState, given: Circumstances): Decision | undefined => {
  const { context } = state;
  if (isPast(context.deadline, given.now)) return { type: 'StartTimedOut', at: given.now, attempt: context.attempt };
  if (context.container !== null) return context.container.exited === true ? undefined : stop(state, given);
  return !context.wanted && isClear(state, given.observation) ? { type: 'StartCancelled', at: given.now } : undefined;
};

const whileRunning = (state: BotState, given: Circumstances): Decision | undefined => {
  const { healthy, runningSince, container } = state.context;
  const afterMs = given.now - (runningSince ?? given.now);
  if (!healthy && container?.paused !== true && afterMs >= given.policy.healthyAfterMs) {
    return { type: 'BecameHealthy', at: given.now, afterMs };
  }
  return stop(state, given);
};

const whileStopping = ({ context }: BotState, { now }: Circumstances): Decision | undefined =>
  isPast(context.deadline, now) && context.container !== null
    ? { type: 'StopTimedOut', at: now, ref: context.container.ref }
    : undefined;

const whileBackingOff = (state: BotState, given: Circumstances): Decision | undefined => {
  const { context } = state;
  if (!context.wanted && isClear(state, given.observation)) return { type: 'BotStopped', at: given.now };
  if (context.assess !== null) {
    const restartPolicy = specOf(given.desired)?.restartPolicy ?? context.terms?.restartPolicy;
    return assess(context, context.assess, restartPolicy, given);
  }
  return isPast(context.notBefore, given.now) && mayStart(state, given) ? start(state, given) : undefined;
};

const whileStopped = (state: BotState, given: Circumstances): Decision | undefined => {
  if (state.context.deleting) {
    return isClear(state, given.observation) ? { type: 'BotDeleted', at: given.now } : undefined;
  }
  return mayStart(state, given) ? start(state, given) : undefined;
};

/** The next decision. Every policy is applied here and arrives in the event as its result. */
export const intend = (state: BotState, given: Circumstances): Decision | undefined => {
  const byMs = clockBehind(state.context, given.now);
  if (byMs !== undefined) return { type: 'ClockSetBack', at: given.now, byMs };
  switch (state.at) {
    case 'starting':
      return whileStarting(state, given);
    case 'running':
      return whileRunning(state, given);
    case 'stopping':
      return whileStopping(state, given);
    case 'failed.backingOff':
      return whileBackingOff(state, given);
    case 'failed.exhausted':
      return !state.context.wanted && isClear(state, given.observation)
        ? { type: 'BotStopped', at: given.now }
        : undefined;
    case 'stopped':
      return whileStopped(state, given);
    case 'deleted':
      return undefined;
  }
};
