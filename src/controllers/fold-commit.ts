/** One commit folded into a state, with the steps it made on the way. */
import type { Commit } from '../domain/recorded.ts';
import type { AnyState, Machine } from '../machines/machine.ts';
import type { Versioned } from '../machines/snapshot.ts';

export interface Step<S, E> {
  readonly before: S;
  readonly after: S;
  readonly event: E;
  /** Place in the commit, and in the stream. */
  readonly index: number;
  readonly version: number;
}

/**
 * Events already in `before` are passed over.
 * @throws DroverError EVENT_ILLEGAL when the log cannot be folded
 */
export const foldCommit = <S extends AnyState, E extends { readonly at: number; readonly type: string }>(
  machine: Machine<S, E>,
  before: Versioned<S>,
  commit: Commit,
): { readonly after: Versioned<S>; readonly steps: readonly Step<S, E>[] } => {
  const steps: Step<S, E>[] = [];
  let { state } = before;
  commit.events.forEach((stored, index) => {
    const version = commit.from + index;
    if (version <= before.version) return;
    const event = machine.upcast(stored);
    const next = machine.evolve(state, event);
    steps.push({ before: state, after: next, event, index, version });
    state = next;
  });
  return { after: { state, version: Math.max(before.version, commit.to) }, steps };
};
