/** (state, observation) → the next fact the engine shows, or nothing. Called again until there is none. */
import type { ContainerEvent, ContainerIdentity, StorageEvent } from '../domain/bot-event.ts';
import type { BotState, KnownContainer } from '../domain/bot-state.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { isLive, type ForeignRef, type Observation, type ObservedContainer } from '../domain/observation.ts';
import { classifyExit } from './classify-exit.ts';
import { isRetryDue } from './retry-due.ts';
import { senseStorage, unsyncedOf } from './sense-storage.ts';

const identity = (container: ObservedContainer, at: number): ContainerIdentity => ({
  at,
  ref: container.ref,
  attempt: container.attempt,
  incarnation: container.incarnation,
  generation: container.generation,
  specHash: container.specHash,
});

const adopted = (seen: ObservedContainer, at: number): ContainerEvent => ({
  type: 'ContainerAdopted',
  ...identity(seen, at),
  startedAt: seen.startedAt,
  // Whoever started it, it may be waiting for what it read once and removed.
  deliver: true,
});

/** One that had no process any more, or never one, takes nothing with it when it goes. */
const gone = ({ ref, exited, startedAt }: KnownContainer, at: number): ContainerEvent =>
  exited === true || startedAt === undefined
    ? { type: 'ContainerRemoved', at, ref }
    : { type: 'ContainerVanished', at, ref, unsynced: { state: true, logs: true } };

/** Does the log say what there is? It names one of them at a time: another one only when that is gone. */
export const namesForeign = ({ at, context }: BotState, foreign: readonly ForeignRef[]): boolean => {
  // Nothing is to start any more, so nothing stands in its way.
  if (at === 'deleted') return true;
  return foreign.length === 0 ? context.foreign === null : foreign.some(({ id }) => id === context.foreign);
};

const senseForeign = (state: BotState, foreign: readonly ForeignRef[], at: number): ContainerEvent | undefined => {
  if (namesForeign(state, foreign)) return undefined;
  const [found] = foreign;
  if (found === undefined) return { type: 'ForeignInstanceGone', at };
  const { node, id, install } = found;
  return { type: 'ForeignInstanceFound', at, ref: { node, id }, ...(install === undefined ? {} : { install }) };
};

const senseAbsent = (state: BotState, observation: Observation, at: number): ContainerEvent | undefined => {
  const { container } = state.context;
  if (container !== null) return gone(container, at);
  return senseForeign(state, observation.kind === 'absent' ? observation.foreign : [], at);
};

/** A container of ours that the log does not know. */
const senseUnknown = (state: BotState, seen: ObservedContainer, at: number): ContainerEvent | undefined => {
  const live = isLive(seen.status);
  if (seen.status === 'removing') return undefined;
  switch (state.at) {
    case 'deleted':
      return { type: 'LeftoverFound', ...identity(seen, at), live };
    case 'starting':
      // Its name is the lock, so whatever lives under it is the start we asked for, even if an earlier attempt made it.
      return live || seen.attempt >= state.context.attempt
        ? {
            type: 'ContainerCreated',
            ...identity(seen, at),
            ...(seen.codeDigest === undefined ? {} : { codeDigest: seen.codeDigest }),
          }
        : { type: 'LeftoverFound', ...identity(seen, at), live };
    default:
      return live ? adopted(seen, at) : { type: 'LeftoverFound', ...identity(seen, at), live };
  }
};

const senseLive = (state: BotState, seen: ObservedContainer, at: number): ContainerEvent | undefined => {
  const { context } = state;
  const { ref } = seen;
  const knownAs = context.container;
  switch (state.at) {
    case 'starting':
      return { type: 'ContainerStarted', at, ref, startedAt: seen.startedAt };
    case 'running':
      if (knownAs?.startedAt !== seen.startedAt) {
        return { type: 'ContainerRestarted', at, ref, startedAt: seen.startedAt, deliver: true };
      }
      if ((seen.status === 'paused') === (knownAs.paused === true)) return undefined;
      return { type: seen.status === 'paused' ? 'ContainerPaused' : 'ContainerUnpaused', at, ref };
    case 'stopping':
      return knownAs?.exited === true ? { type: 'ContainerRestarted', at, ref, startedAt: seen.startedAt } : undefined;
    case 'deleted':
      return knownAs?.exited === true ? { type: 'LeftoverFound', ...identity(seen, at), live: true } : undefined;
    case 'failed.backingOff': {
      // One that we could not stop is left alone until the retry is due; one started again by hand is ours at once.
      return knownAs?.exited === true || isRetryDue(context, at) ? adopted(seen, at) : undefined;
    }
    case 'stopped':
    case 'failed.exhausted':
      return adopted(seen, at);
  }
};

/** What keeps a bot from starting and lies outside it: an outage must not end in a crash loop (fault R10). */
const OUTSIDE: ReadonlySet<ErrorCode> = new Set([
  'STORAGE_UNAVAILABLE',
  'STATE_SUPERSEDED',
  'CODE_NOT_CACHED',
  'HOST_PRESSURE',
  'RUNTIME_CONFIG',
]);

const attemptIn = (detail: string): number | undefined => {
  const found = /\ba(\d{1,9})\b/.exec(detail)?.[1];
  return found === undefined ? undefined : Number(found);
};

/** A start of a run that began and ended between two looks. */
const wasMissed = ({ firstStartedAt, runningSince }: BotState['context']): boolean =>
  firstStartedAt !== undefined && runningSince === null;

const senseEnded = (state: BotState, seen: ObservedContainer, at: number): ContainerEvent | undefined => {
  const { context } = state;
  if (context.container?.exited === true || seen.exit === undefined) return undefined;
  if (state.at === 'stopped' || state.at === 'failed.exhausted' || state.at === 'deleted') {
    return { type: 'LeftoverFound', ...identity(seen, at), live: false };
  }
  const ours = context.stop !== null || context.lastFailure?.code === 'CONTAINER_STUCK';
  const { code: exitCode, finishedAt, logTail, report } = seen.exit;
  const unsynced = unsyncedOf(seen);
  const newestAttempt = report?.error?.code === 'STATE_SUPERSEDED' ? attemptIn(report.error.detail) : undefined;
  return {
    type: 'ContainerExited',
    at,
    ref: seen.ref,
    exitCode,
    finishedAt,
    logTail,
    ...classifyExit(seen.exit, ours),
    ...(unsynced === undefined ? {} : { unsynced }),
    ...(report?.error !== undefined && OUTSIDE.has(report.error.code) ? { blameless: true } : {}),
    ...(newestAttempt === undefined ? {} : { newestAttempt }),
    ...(wasMissed(context) && seen.startedAt > 0 ? { startedAt: seen.startedAt } : {}),
  };
};

/** The next difference between what the log says of the container and what the engine shows. */
export const sense = (
  state: BotState,
  observation: Observation,
  at: number,
): ContainerEvent | StorageEvent | undefined => {
  if (observation.kind === 'unknown' || state.context.incarnation === 0) return undefined;
  if (observation.kind !== 'present') return senseAbsent(state, observation, at);
  const { container: seen } = observation;
  const knownAs = state.context.container;
  if (knownAs === null) return senseUnknown(state, seen, at);
  if (knownAs.ref.id !== seen.ref.id) return gone(knownAs, at);
  if (isLive(seen.status)) {
    const { foreign } = observation;
    return (
      senseLive(state, seen, at) ??
      senseStorage(state.context, seen, at) ??
      (foreign === undefined ? undefined : senseForeign(state, foreign, at))
    );
  }
  if (seen.status !== 'exited' && seen.status !== 'dead') return undefined;
  // What it still said of its state comes before its end; a later look at the same remains says nothing new.
  const reports = knownAs.exited !== true && state.at !== 'deleted';
  return (reports ? senseStorage(state.context, seen, at) : undefined) ?? senseEnded(state, seen, at);
};
