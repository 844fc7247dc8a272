/** One commit folded into a bot's state, with the transitions it made on the way. */
import type { BotState } from '../domain/bot-state.ts';
import type { Commit } from '../domain/recorded.ts';
import type { Transition } from '../domain/transition.ts';
import { evolve } from '../machines/evolve.ts';
import type { VersionedState } from '../machines/snapshot.ts';
import { upcast } from '../machines/upcast.ts';

const containerOf = (before: BotState, after: BotState): string | undefined =>
  (after.context.container ?? before.context.container)?.ref.id;

/**
 * Events already in `before` are passed over.
 * @throws DroverError EVENT_ILLEGAL when the log cannot be folded
 */
export const foldCommit = (
  botId: string,
  before: VersionedState,
  commit: Commit,
): { readonly after: VersionedState; readonly transitions: readonly Transition[] } => {
  const transitions: Transition[] = [];
  let { state } = before;
  commit.events.forEach((stored, index) => {
    const version = commit.from + index;
    if (version <= before.version) return;
    const event = upcast(stored);
    const next = evolve(state, event);
    const container = containerOf(state, next);
    transitions.push({
      time: commit.recordedAt,
      position: commit.position,
      index,
      version,
      botId,
      from: state.at,
      to: next.at,
      event,
      causes: commit.causes,
      attempt: next.context.attempt,
      ...(container === undefined ? {} : { container }),
      ...(next.at === state.at || state.context.since === 0 ? {} : { lastedMs: event.at - state.context.since }),
    });
    state = next;
  });
  return { after: { state, version: Math.max(before.version, commit.to) }, transitions };
};
