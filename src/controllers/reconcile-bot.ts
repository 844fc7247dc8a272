/**
 * One key, one pass: fold, look, plan, append, act — and look again until there is nothing left to do. A crash between
 * any two steps is harmless: what was decided is in the log, and every effect is found again from the state.
 */
import type { BotEvent } from '../domain/bot-event.ts';
import type { BotRequest, Desired } from '../domain/bot.ts';
import type { Effect, Outcome } from '../domain/effect.ts';
import { DroverError } from '../domain/errors.ts';
import type { BotPolicy } from '../domain/policy.ts';
import type { Cause } from '../domain/recorded.ts';
import type { StreamKind } from '../domain/streams.ts';
import { accepts } from '../machines/evolve.ts';
import { plan } from '../machines/plan.ts';
import { toStored } from '../machines/upcast.ts';
import type { Clock } from '../ports/clock.ts';
import type { Engine } from '../ports/container-tools.ts';
import type { EventStore } from '../ports/event-store.ts';
import type { Logger } from '../ports/logger.ts';
import { applyEffect, factOf } from './apply-effects.ts';
import type { Newer } from './control-loop.ts';
import type { Desire } from './desire.ts';
import { distinctCauses } from './distinct-causes.ts';
import type { ServiceState } from './service-state.ts';

export interface ReconcileDependencies {
  readonly events: EventStore;
  readonly engine: Engine;
  readonly states: ServiceState;
  /** Where what happens is written. */
  readonly streams: StreamKind;
  readonly desiredOf: (botId: string, causes: readonly Cause[]) => Promise<Desire>;
  /** Told once the log has taken them. */
  readonly requestsTaken: (botId: string, requests: readonly BotRequest[]) => Promise<void>;
  /** Free share of the disk under the engine, as last looked at. */
  readonly diskFree: () => Promise<number | undefined>;
  readonly policyOf: (botId: string) => BotPolicy;
  /** May this be done now? What may not is not tried, and found again at the next look. */
  readonly permits?: (botId: string, effect: Effect) => boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks in one turn; the remaining work goes on in the next turn, after the others had theirs. */
const MAX_LOOKS = 20;
const AGAIN_SOON_MS = 200;
/** After a store that did not answer: soon enough to heal, rare enough not to be a hot loop. */
const UNREAD_MS = 5_000;

const isConflict = (error: unknown): boolean => error instanceof DroverError && error.class === 'concurrency';

const NEVER_NEWER: Newer = () => () => undefined;

/** What cannot be read now says nothing. */
const isStillWanted = (desired: Desired, hash: string): boolean => {
  if (desired.kind === 'spec') return desired.enabled && !desired.drained && desired.hash === hash;
  return desired.kind !== 'gone' && !(desired.kind === 'invalid' && desired.enabled === false);
};

const WISHES: ReadonlySet<string> = new Set([
  'BotCreated',
  'SpecChanged',
  'SpecRejected',
  'SpecAccepted',
  'BotEnabled',
  'BotDisabled',
  'BotDeletionRequested',
]);
const isWish = ({ type }: BotEvent): boolean => WISHES.has(type);

export const createReconcileBot = (dependencies: ReconcileDependencies) => {
  const { events, engine, states, streams, desiredOf, requestsTaken, diskFree, policyOf, clock, logger } = dependencies;
  const permits = dependencies.permits ?? (() => true);

  const append = async (
    botId: string,
    version: number,
    happened: readonly BotEvent[],
    causes: readonly Cause[],
  ): Promise<boolean> => {
    try {
      const commit = { stream: streams.of(botId), expectedVersion: version, events: happened.map(toStored), causes };
      states.apply(await events.append(commit));
      return true;
    } catch (error) {
      // Whatever went wrong, the cached fold may no longer be the log's.
      states.forget(botId);
      if (!isConflict(error)) throw error;
      states.counters.add('conflicts');
      return false;
    }
  };

  /** An outcome is never dropped for a conflict: the log is folded again and it is tried once more. */
  const appendFact = async (botId: string, fact: BotEvent, causes: readonly Cause[]): Promise<void> => {
    for (let tries = 0; tries < 5; tries += 1) {
      const { state, version } = await states.load(botId);
      if (!accepts(state, fact)) {
        logger.warn('result discarded, another writer was first', { bot: botId, event: fact.type, state: state.at });
        return;
      }
      if (await append(botId, version, [fact], causes)) return;
    }
    throw new DroverError('VERSION_CONFLICT', `the outcome ${fact.type} could not be recorded`);
  };

  /**
   * A container that is to be made may wait for minutes, for its image or its code. What is heard meanwhile, a disable or a delete,
   * ends that wait; the next look then finds what is to be done.
   */
  const whileWanted = async (botId: string, effect: Effect, newer: Newer): Promise<Outcome | 'unwanted'> => {
    if (effect.type !== 'EnsureContainer') return applyEffect(engine, botId, effect);
    const unwanted = new AbortController();
    const ask = async (): Promise<void> => {
      const { desired, unread } = await desiredOf(botId, []);
      if (unread !== true && !isStillWanted(desired, effect.plan.specHash)) unwanted.abort();
    };
    const stop = newer(() => {
      ask().catch((error: unknown) => {
        logger.debug('cannot read whether a start is still wanted', { bot: botId, error });
      });
    });
    try {
      const outcome = await applyEffect(engine, botId, effect, unwanted.signal);
      return !outcome.ok && unwanted.signal.aborted ? 'unwanted' : outcome;
    } finally {
      stop();
    }
  };

  const look = async (
    botId: string,
    causes: readonly Cause[],
    newer: Newer,
  ): Promise<{ readonly again: boolean; readonly wakeAfterMs: number | undefined }> => {
    const { state, version } = await states.load(botId);
    const [{ desired, cause, unread }, observation, free] = await Promise.all([
      desiredOf(botId, causes),
      engine.observe(botId),
      diskFree(),
    ]);
    const policy = policyOf(botId);
    const given = { desired, observation, now: clock.now(), random: clock.random(), policy, diskFree: free };
    const planned = plan(state, given);
    if (planned.events.length > 0) {
      // Who asked for the document explains what follows from the document, and nothing else.
      const told = cause !== undefined && planned.events.some(isWish) ? distinctCauses([cause, ...causes]) : causes;
      if (!(await append(botId, version, planned.events, told))) return { again: true, wakeAfterMs: undefined };
    }
    // Requests count as taken only once the log holds them: a crash before this line takes them again, harmlessly.
    const asked = desired.kind === 'spec' ? desired.requests : [];
    const taken = asked.filter(({ requestId }) => planned.state.context.requests.includes(requestId));
    if (taken.length > 0) await requestsTaken(botId, taken);
    const effects = planned.effects.filter((effect) => permits(botId, effect));
    for (const effect of effects) {
      const outcome = await whileWanted(botId, effect, newer);
      if (outcome === 'unwanted') continue;
      const fact = factOf(outcome, clock.now(), policy, planned.state.context);
      if (fact !== undefined) await appendFact(botId, fact, causes);
    }
    const again = effects.length > 0 || planned.again;
    return { again, wakeAfterMs: unread ? Math.min(planned.wakeAfterMs ?? UNREAD_MS, UNREAD_MS) : planned.wakeAfterMs };
  };

  /** Returns after how many ms to look again though nothing is heard; undefined when only a signal matters. */
  return async (botId: string, causes: readonly Cause[], newer: Newer = NEVER_NEWER): Promise<number | undefined> => {
    states.counters.add('reconciles');
    for (let looks = 0; looks < MAX_LOOKS; looks += 1) {
      const { again, wakeAfterMs } = await look(botId, causes, newer);
      if (!again) return wakeAfterMs;
    }
    return AGAIN_SOON_MS;
  };
};
