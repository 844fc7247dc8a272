/** Exhaustive map: effect → call of the engine. An outcome is a fact; nothing is swallowed and nothing is decided here. */
import type { OutcomeEvent } from '../domain/bot-event.ts';
import type { Effect, Outcome } from '../domain/effect.ts';
import { assertNever, toDroverError } from '../domain/errors.ts';
import type { BotPolicy } from '../domain/policy.ts';
import type { ContainerEngine } from '../ports/container-engine.ts';

const perform = (engine: ContainerEngine, effect: Effect): Promise<void> => {
  switch (effect.type) {
    case 'EnsureContainer':
      return engine.ensureContainer(effect.plan);
    case 'EnsureStarted':
      return engine.ensureStarted(effect.ref, effect.plan);
    case 'EnsureSignalled':
      return engine.ensureSignalled(effect.ref, effect.signal);
    case 'EnsureRemoved':
      return engine.ensureRemoved(effect.ref, effect.force);
    case 'EnsureSetAside':
      return engine.ensureSetAside(effect.ref);
    default:
      return assertNever(effect);
  }
};

/**
 * A failure is an outcome with the code, class and detail of the error table; only that we may not act is none, because
 * nothing was tried. @throws DroverError LEASE_LOST
 */
export const applyEffect = async (engine: ContainerEngine, effect: Effect): Promise<Outcome> => {
  try {
    await perform(engine, effect);
    return { effect, ok: true };
  } catch (thrown) {
    const error = toDroverError(thrown);
    if (error.code === 'LEASE_LOST') throw error;
    return { effect, ok: false, failure: { code: error.code, class: error.class, detail: error.message } };
  }
};

/**
 * The fact an outcome leaves in the log. What the next look shows by itself (a container that exists, runs, or is gone)
 * leaves none; that a signal was sent can be seen nowhere else.
 */
export const factOf = (outcome: Outcome, at: number, policy: BotPolicy): OutcomeEvent | undefined => {
  const { effect } = outcome;
  if (outcome.ok) {
    return effect.type === 'EnsureSignalled'
      ? { type: 'StopSignalSent', at, ref: effect.ref, signal: effect.signal }
      : undefined;
  }
  const failed = { at, ...outcome.failure };
  const notBefore = at + policy.effectRetryMs;
  switch (effect.type) {
    case 'EnsureContainer':
      return { type: 'ContainerCreateFailed', ...failed, attempt: effect.plan.attempt };
    case 'EnsureStarted':
      return { type: 'ContainerStartFailed', ...failed, attempt: effect.plan.attempt };
    case 'EnsureSignalled':
      return { type: 'ContainerStopFailed', ...failed, ref: effect.ref, notBefore };
    case 'EnsureRemoved':
    case 'EnsureSetAside':
      return { type: 'ContainerRemoveFailed', ...failed, ref: effect.ref, notBefore };
    default:
      return assertNever(effect);
  }
};
