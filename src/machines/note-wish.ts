/** (state, desired) → the next fact about what is wished, or nothing. Generations are minted here and only here. */
import type { WishEvent } from '../domain/bot-event.ts';
import type { Desired } from '../domain/bot.ts';
import type { BotState } from '../domain/bot-state.ts';

type SpecWish = Extract<Desired, { kind: 'spec' }>;
type InvalidWish = Extract<Desired, { kind: 'invalid' }>;

const isUnborn = (state: BotState): boolean => state.context.incarnation === 0 || state.at === 'deleted';

/** Those that ask for the same are one event: sixty restarts at once are one restart. */
const noteRequest = ({ requests }: BotState['context'], desired: SpecWish, at: number): WishEvent | undefined => {
  const fresh = desired.requests.filter(({ requestId }) => !requests.includes(requestId));
  const [first] = fresh;
  if (first === undefined) return undefined;
  const { requestId, actor, reason, kind } = first;
  const same = fresh.filter((request) => request.kind === kind && request.requestId !== requestId);
  const also = [...new Set(same.map((request) => request.requestId))];
  return {
    type: kind === 'reset' ? 'ResetRequested' : 'RestartRequested',
    at,
    requestId,
    actor,
    reason,
    ...(also.length === 0 ? {} : { also }),
  };
};

const noteSpec = ({ context }: BotState, desired: SpecWish, at: number): WishEvent | undefined => {
  if (desired.hash !== context.specHash) {
    return {
      type: 'SpecChanged',
      at,
      generation: context.generation + 1,
      hash: desired.hash,
      version: desired.spec.code.version,
    };
  }
  if (context.rejected !== null) return { type: 'SpecAccepted', at };
  const request = noteRequest(context, desired, at);
  if (request !== undefined) return request;
  const wanted = desired.enabled && !desired.drained;
  if (wanted) return context.wanted ? undefined : { type: 'BotEnabled', at };
  const reason = desired.enabled ? 'drain' : 'document';
  // Also of a bot that did not run: who asks why it does not is told of the drain, and not of one that is over for it.
  const isTold = desired.enabled === (context.stopReason === 'drained');
  return context.wanted || !isTold ? { type: 'BotDisabled', at, reason } : undefined;
};

const noteInvalid = ({ context }: BotState, desired: InvalidWish, at: number): WishEvent | undefined => {
  const { code, reason } = desired;
  if (context.rejected?.code !== code || context.rejected.reason !== reason) {
    return { type: 'SpecRejected', at, code, reason };
  }
  // What it says clearly counts, also in a document that is broken elsewhere: who wants a stop gets it.
  return desired.enabled === false && context.wanted ? { type: 'BotDisabled', at, reason: 'document' } : undefined;
};

/** Note one difference between the log and the wish; called again until there is none. */
export const noteWish = (state: BotState, desired: Desired, at: number): WishEvent | undefined => {
  if (desired.kind === 'unknown') return undefined;
  if (desired.kind === 'gone') {
    return isUnborn(state) || state.context.deleting ? undefined : { type: 'BotDeletionRequested', at };
  }
  // A deletion under way is finished first; the id then comes back as a new incarnation.
  if (state.context.deleting) return undefined;
  if (isUnborn(state)) {
    const run = desired.kind === 'spec' ? desired.run : undefined;
    return run === undefined
      ? { type: 'BotCreated', at, incarnation: state.context.incarnation + 1 }
      : {
          type: 'BotCreated',
          at,
          incarnation: run.incarnation,
          attempt: run.attempt,
          ...(run.writes ? {} : { readsOnly: true }),
        };
  }
  return desired.kind === 'spec' ? noteSpec(state, desired, at) : noteInvalid(state, desired, at);
};
