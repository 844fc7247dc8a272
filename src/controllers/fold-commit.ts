/** One commit folded into a state, with the steps it made on the way. */
import { DroverError } from '../domain/errors.ts';
import type { Commit, StoredEvent } from '../domain/recorded.ts';
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

/** One step, or an error that says where the log breaks. */
const step = <S extends AnyState, E extends { readonly at: number; readonly type: string }>(
  machine: Machine<S, E>,
  state: S,
  stored: StoredEvent,
  { stream, position }: Commit,
  version: number,
): { readonly event: E; readonly next: S } => {
  try {
    const event = machine.upcast(stored);
    return { event, next: machine.evolve(state, event) };
  } catch (thrown) {
    // Whatever an event does to the fold, the log is what is wrong.
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const where = `event ${String(version)} of ${stream}, position ${String(position)}`;
    throw new DroverError('EVENT_ILLEGAL', `${why} (${where})`, { cause: thrown });
  }
};

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
    const { event, next } = step(machine, state, stored, commit, version);
    steps.push({ before: state, after: next, event, index, version });
    state = next;
  });
  return { after: { state, version: Math.max(before.version, commit.to) }, steps };
};
