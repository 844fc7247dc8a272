/** (state, observation) → what to ask of the engine. Derived from the state, so found again after any crash (§6 rule 3). */
import type { Desired } from '../domain/bot.ts';
import type { BotContext, BotState, KnownContainer } from '../domain/bot-state.ts';
import type { ContainerPlan, Effect } from '../domain/effect.ts';
import { isLive, type Observation, type ObservedContainer } from '../domain/observation.ts';
import { isRetryDue } from './retry-due.ts';

const planFor = ({ context }: BotState, desired: Desired): ContainerPlan | undefined =>
  desired.kind === 'spec'
    ? {
        spec: desired.spec,
        specHash: desired.hash,
        incarnation: context.incarnation,
        generation: context.generation,
        attempt: context.attempt,
        ...(context.storage?.code?.specHash === desired.hash ? { knownDigest: context.storage.code.digest } : {}),
        ...(desired.run === undefined ? {} : { run: desired.run }),
      }
    : undefined;

/** Removes what has no process; one the engine calls dead and cannot remove is moved out of the way of its name. */
const clear = (context: BotContext, seen: ObservedContainer): Effect[] => {
  if (isLive(seen.status) || seen.status === 'removing') return [];
  return seen.status === 'dead' && seen.pid === 0 && context.holdUntil !== null
    ? [{ type: 'EnsureSetAside', ref: seen.ref }]
    : [{ type: 'EnsureRemoved', ref: seen.ref, force: false }];
};

const signal = (context: BotContext, seen: ObservedContainer, now: number): Effect[] => {
  const { stop } = context;
  if (stop === null || !isLive(seen.status)) return clear(context, seen);
  if (now >= stop.killAt) {
    return stop.killSent ? [] : [{ type: 'EnsureSignalled', ref: seen.ref, signal: 'SIGKILL' }];
  }
  return stop.termSent ? [] : [{ type: 'EnsureSignalled', ref: seen.ref, signal: 'SIGTERM' }];
};

const whileStarting = (state: BotState, desired: Desired, seen: ObservedContainer, known: KnownContainer): Effect[] => {
  if (known.exited === true) return clear(state.context, seen);
  const plan = planFor(state, desired);
  return plan !== undefined && seen.status === 'created' ? [{ type: 'EnsureStarted', ref: seen.ref, plan }] : [];
};

/** More than the longest final sync: the tool that does it is killed then. */
const VOLUME_SYNC_MS = 15 * 60_000;

/** Nothing of this bot runs or is about to: what lies on its volume alone is stored from there. */
const syncVolume = ({ at, context }: BotState, desired: Desired, now: number): Effect[] => {
  const unsynced = context.storage?.unsynced;
  const atRest = at === 'stopped' || at === 'failed.exhausted' || at === 'deleted';
  if (!atRest || context.container !== null || unsynced === undefined || unsynced.retryAt > now) return [];
  return [
    {
      type: 'EnsureSynced',
      incarnation: context.incarnation,
      attempt: unsynced.attempt,
      image: desired.kind === 'spec' ? desired.spec.image : null,
      timeoutMs: VOLUME_SYNC_MS,
      ...(context.readsOnly === true ? { readsOnly: true } : {}),
    },
  ];
};

/** What to do next, at most one thing at a time: the loop looks again after it. */
export const effectsOf = (state: BotState, desired: Desired, observation: Observation, now: number): Effect[] => {
  const { context } = state;
  if (observation.kind === 'unknown' || (context.holdUntil ?? 0) > now) return [];
  if (observation.kind !== 'present') {
    const foreign = observation.kind === 'absent' && observation.foreign.length > 0;
    const plan = planFor(state, desired);
    return state.at === 'starting' && context.container === null && plan !== undefined && !foreign
      ? [{ type: 'EnsureContainer', plan }]
      : syncVolume(state, desired, now);
  }
  const { container: seen } = observation;
  const known = context.container;
  if (known === null || known.ref.id !== seen.ref.id) return [];
  switch (state.at) {
    case 'starting':
      return whileStarting(state, desired, seen, known);
    case 'stopping':
      return signal(context, seen, now);
    case 'failed.backingOff': {
      // Kept until the retry is due: whoever restarts it by hand meanwhile finds it, and so does who reads its output.
      return isRetryDue(context, now) || !context.wanted ? clear(context, seen) : [];
    }
    case 'stopped':
    case 'failed.exhausted':
      return clear(context, seen);
    case 'deleted':
      return seen.status === 'removing' ? [] : [{ type: 'EnsureRemoved', ref: seen.ref, force: isLive(seen.status) }];
    case 'running': {
      const plan = planFor(state, desired);
      return known.undelivered === true && plan !== undefined && seen.status === 'running'
        ? [{ type: 'EnsureDelivered', ref: seen.ref, plan }]
        : [];
    }
  }
};
