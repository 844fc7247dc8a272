/** Exhaustive map: effect → call of the engine. An outcome is a fact; nothing is swallowed and nothing is decided here. */
import type { OutcomeEvent } from '../domain/bot-event.ts';
import type { BotId } from '../domain/bot.ts';
import type { BotContext } from '../domain/bot-state.ts';
import type { Effect, Outcome } from '../domain/effect.ts';
import { assertNever, toDroverError } from '../domain/errors.ts';
import type { BotPolicy } from '../domain/policy.ts';
import type { SnapshotId } from '../domain/sync-report.ts';
import type { Engine } from '../ports/container-tools.ts';
import { syncFromVolume } from './sync-from-volume.ts';

const perform = async (
  engine: Engine,
  botId: BotId,
  effect: Effect,
  signal: AbortSignal | undefined,
): Promise<SnapshotId | undefined> => {
  switch (effect.type) {
    case 'EnsureContainer':
      await engine.ensureContainer(effect.plan, signal);
      return undefined;
    case 'EnsureStarted':
      await engine.ensureStarted(effect.ref, effect.plan);
      return undefined;
    case 'EnsureSignalled':
      await engine.ensureSignalled(effect.ref, effect.signal);
      return undefined;
    case 'EnsureRemoved':
      await engine.ensureRemoved(effect.ref, effect.force);
      return undefined;
    case 'EnsureSetAside':
      await engine.ensureSetAside(effect.ref);
      return undefined;
    case 'EnsureDelivered':
      await engine.deliverAgain(effect.ref, effect.plan);
      return undefined;
    case 'EnsureSynced':
      return syncFromVolume(engine, botId, effect);
    default:
      return assertNever(effect);
  }
};

/**
 * A failure is an outcome with the code, class and detail of the error table; only that we may not act is none, because
 * nothing was tried. `signal`: nobody wants it any more. @throws DroverError LEASE_LOST
 */
export const applyEffect = async (
  engine: Engine,
  botId: BotId,
  effect: Effect,
  signal?: AbortSignal,
): Promise<Outcome> => {
  try {
    const snapshot = await perform(engine, botId, effect, signal);
    return { effect, ok: true, ...(snapshot === undefined ? {} : { snapshot }) };
  } catch (thrown) {
    const error = toDroverError(thrown);
    if (error.code === 'LEASE_LOST') throw error;
    return { effect, ok: false, failure: { code: error.code, class: error.class, detail: error.message } };
  }
};

/** What cannot be seen by looking. */
const achieved = (effect: Effect, at: number, snapshot: SnapshotId | undefined): OutcomeEvent | undefined => {
  switch (effect.type) {
    case 'EnsureSignalled':
      return { type: 'StopSignalSent', at, ref: effect.ref, signal: effect.signal };
    case 'EnsureDelivered':
      return { type: 'ConfigurationDelivered', at, ref: effect.ref };
    case 'EnsureSynced':
      return {
        type: 'VolumeSynced',
        at,
        attempt: effect.attempt,
        ...(snapshot === undefined ? {} : { snapshot }),
      };
    default:
      return undefined;
  }
};

/** An outage of the archive store may be long: waits grow, and are capped. */
const syncDelay = (policy: BotPolicy, tries: number): number =>
  Math.min(policy.syncRetryMs * 2 ** Math.min(tries, 20), policy.syncRetryMaxMs);

/**
 * The fact an outcome leaves in the log. What the next look shows by itself (a container that exists, runs, or is gone)
 * leaves none; that a signal was sent can be seen nowhere else.
 */
export const factOf = (
  outcome: Outcome,
  at: number,
  policy: BotPolicy,
  context: BotContext,
): OutcomeEvent | undefined => {
  const { effect } = outcome;
  if (outcome.ok) return achieved(effect, at, outcome.snapshot);
  const failed = { at, ...outcome.failure };
  const notBefore = at + policy.effectRetryMs;
  switch (effect.type) {
    case 'EnsureContainer':
      return { type: 'ContainerCreateFailed', ...failed, attempt: effect.plan.attempt };
    case 'EnsureStarted':
      return { type: 'ContainerStartFailed', ...failed, attempt: effect.plan.attempt };
    case 'EnsureSignalled':
      return { type: 'ContainerStopFailed', ...failed, ref: effect.ref, notBefore };
    case 'EnsureDelivered':
      return { type: 'ConfigurationDeliveryFailed', ...failed, ref: effect.ref, notBefore };
    case 'EnsureSynced': {
      const retryAt = at + syncDelay(policy, context.storage?.unsynced?.tries ?? 0);
      return { type: 'VolumeSyncFailed', ...failed, attempt: effect.attempt, retryAt };
    }
    case 'EnsureRemoved':
    case 'EnsureSetAside':
      return { type: 'ContainerRemoveFailed', ...failed, ref: effect.ref, notBefore };
    default:
      return assertNever(effect);
  }
};
