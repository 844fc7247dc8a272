/**
 * What a bot remembers of each event. The statechart says which events are legal and where they lead; this says what
 * stays. It reads only the event and the context: no clock, no setting.
 */
import type { BotEvent } from '../domain/bot-event.ts';
import type { BotContext } from '../domain/bot-state.ts';
import { assertNever } from '../domain/errors.ts';
import { clearedOfFailures, delivered, ended, firstStart, known, neverStarted, withContainer } from './amend-parts.ts';
import { amendStorage, leftUnsynced, pressureGone, storageOf, volumeSynced, withStorage } from './amend-storage.ts';
import { setBack } from './clock-behind.ts';
import { emptyContext } from './empty-context.ts';
import { remembered } from './requests.ts';

/** The ids of an event's requests, added to those that are known. */
const withRequests = (
  { requests }: BotContext,
  { requestId, also = [] }: { readonly requestId: string; readonly also?: readonly string[] },
): readonly string[] => remembered(requests, [requestId, ...also]);

/** The part of the context that `event` changes. */
export const amend = (context: BotContext, event: BotEvent): Partial<BotContext> => {
  switch (event.type) {
    case 'BotCreated':
      // Attempts go on counting: names of attempts never repeat, also over incarnations.
      return {
        ...emptyContext,
        incarnation: event.incarnation,
        attempt: Math.max(context.attempt, event.attempt ?? 0),
        requests: context.requests,
        ...(event.attempt === undefined ? {} : { firstStartedAt: null }),
        ...(event.readsOnly === true ? { readsOnly: true } : {}),
      };
    case 'SpecChanged':
      return {
        ...clearedOfFailures(event.at, context),
        generation: event.generation,
        specHash: event.hash,
        specVersion: event.version,
        rejected: null,
      };
    case 'SpecRejected':
      return { rejected: { code: event.code, reason: event.reason } };
    case 'SpecAccepted':
      return { rejected: null };
    case 'BotEnabled':
      return { wanted: true, stopReason: null, completed: false };
    case 'BotDisabled':
      return { wanted: false, stopReason: event.reason === 'drain' ? 'drained' : 'disabled', restartAsked: false };
    case 'BotDeletionRequested':
      return { wanted: false, deleting: true, stopReason: 'deleted', restartAsked: false };
    case 'RestartRequested':
      return {
        restartAsked: context.container !== null && context.container.exited !== true,
        completed: false,
        notBefore: context.notBefore === null ? null : event.at,
        requests: withRequests(context, event),
      };
    case 'ResetRequested':
      return {
        ...clearedOfFailures(event.at, context),
        requests: withRequests(context, event),
      };
    case 'ContainerCreated':
      return {
        container: known(event),
        attempt: Math.max(context.attempt, event.attempt),
        ...(event.codeDigest === undefined
          ? {}
          : withStorage(context, { code: { specHash: event.specHash, digest: event.codeDigest } })),
      };
    case 'ContainerStarted':
      return {
        ...withContainer(context, { startedAt: event.startedAt }),
        ...firstStart(context, event.startedAt),
        runningSince: event.at,
        healthy: false,
        starts: context.starts + 1,
        deadline: null,
        notBefore: null,
        foreign: null,
      };
    case 'ContainerAdopted':
      return {
        container: {
          ...known(event),
          startedAt: event.startedAt,
          ...(event.deliver === true ? { undelivered: true } : {}),
        },
        ...firstStart(context, event.startedAt),
        attempt: Math.max(context.attempt, event.attempt),
        runningSince: event.at,
        healthy: false,
        deadline: null,
        assess: null,
        notBefore: null,
        holdUntil: null,
        gaveUp: null,
        completed: false,
      };
    case 'LeftoverFound':
      return {
        container: { ...known(event), exited: !event.live },
        attempt: Math.max(context.attempt, event.attempt),
      };
    case 'ContainerPaused':
      return withContainer(context, { paused: true });
    case 'ContainerUnpaused':
      return withContainer(context, { paused: false });
    case 'ContainerRestarted':
      return {
        ...withContainer(context, {
          startedAt: event.startedAt,
          exited: false,
          paused: false,
          ...(event.deliver === true ? { undelivered: true } : {}),
        }),
        runningSince: event.at,
        healthy: false,
        starts: context.starts + 1,
        stop: context.stop === null ? null : { ...context.stop, termSent: false, killSent: false },
      };
    case 'ContainerExited': {
      const { at, exitCode, class: exitClass, terminal, code, detail } = event;
      const exit = { at, exitCode, class: exitClass, terminal, ...(code && { code }), ...(detail && { detail }) };
      return {
        ...withContainer(context, { exited: true }),
        ...firstStart(context, event.startedAt),
        ...(event.startedAt === undefined ? {} : { starts: context.starts + 1 }),
        ...ended(context, exit, event.blameless),
        ...leftUnsynced(context, at, event.unsynced),
        attempt: Math.max(context.attempt, event.newestAttempt ?? 0),
      };
    }
    case 'ContainerVanished':
      return {
        ...ended(context, {
          at: event.at,
          exitCode: -1,
          class: context.stop === null ? 'killedByOthers' : 'stoppedByUs',
          terminal: false,
        }),
        ...leftUnsynced(context, event.at, event.unsynced),
        container: null,
        stop: null,
        restartAsked: false,
      };
    case 'ContainerRemoved':
      return { container: null, holdUntil: null, stop: null, restartAsked: false };
    case 'ForeignInstanceFound':
      return {
        foreign: event.ref.id,
        ...(event.install === undefined && context.foreignInstall === undefined
          ? {}
          : { foreignInstall: event.install ?? null }),
      };
    case 'ForeignInstanceGone':
      return { foreign: null };
    case 'BecameHealthy':
      return { healthy: true, streak: 0, lastFailure: null };
    case 'ContainerCreateFailed':
    case 'ContainerStartFailed':
      return neverStarted(context, event, event.class === 'terminal');
    case 'StopSignalSent':
      return context.stop === null
        ? {}
        : { stop: { ...context.stop, [event.signal === 'SIGTERM' ? 'termSent' : 'killSent']: true }, holdUntil: null };
    case 'ContainerStopFailed':
    case 'ContainerRemoveFailed':
      return {
        lastFailure: { at: event.at, code: event.code, detail: event.detail },
        holdUntil: event.notBefore,
      };
    case 'StateRestored':
    case 'StateEditedOutside':
    case 'StateSynced':
    case 'StateSyncFailed':
    case 'StateOverLimit':
    case 'LogsShipped':
    case 'LogsShippingFailed':
    case 'LogsDropped':
    case 'CodeEntriesSkipped':
      return amendStorage(context, event);
    case 'VolumeSynced':
      return { storage: volumeSynced(context, event.at, event.snapshot) };
    case 'VolumeSyncFailed': {
      const { unsynced } = storageOf(context);
      if (unsynced === undefined) return {};
      return withStorage(context, { unsynced: { ...unsynced, tries: unsynced.tries + 1, retryAt: event.retryAt } });
    }
    case 'ConfigurationDelivered':
      return { container: delivered(context.container), holdUntil: null };
    case 'ConfigurationDeliveryFailed':
      return { holdUntil: event.notBefore };
    case 'HostPressureFound':
      return withStorage(context, { pressure: event.free });
    case 'HostPressureGone':
      return { storage: pressureGone(context) };
    case 'ContainerStartRequested':
      return {
        attempt: event.attempt,
        deadline: event.deadline,
        assess: null,
        stop: null,
        completed: false,
        ...(event.terms === undefined ? {} : { terms: event.terms }),
      };
    case 'ContainerStopRequested':
      return {
        stop: { reason: event.reason, killAt: event.killAt, termSent: false, killSent: false },
        deadline: event.deadline,
        holdUntil: null,
        restartAsked: false,
      };
    case 'RetryScheduled':
      return { assess: null, notBefore: event.notBefore };
    case 'GaveUp':
      return { assess: null, notBefore: null, gaveUp: event.reason };
    case 'StartTimedOut':
      return neverStarted(context, { at: event.at, code: 'ENGINE_TIMEOUT', detail: 'the start took too long' }, false);
    case 'StopTimedOut':
      return {
        ...neverStarted(
          context,
          { at: event.at, code: 'CONTAINER_STUCK', detail: 'the container survived SIGKILL' },
          false,
        ),
        stop: null,
        holdUntil: null,
      };
    case 'ClockSetBack':
      return setBack(context, event.at, event.byMs);
    case 'StartCancelled':
      return { deadline: null };
    case 'BotCompleted':
      return { assess: null, notBefore: null, completed: true };
    case 'BotStopped':
      return { assess: null, notBefore: null, gaveUp: null, deadline: null };
    case 'BotDeleted':
      return { deleting: false, deadline: null, stop: null, assess: null, gaveUp: null, rejected: null };
    default:
      return assertNever(event);
  }
};
