/** Rules applied until none has anything to say, as far as one commit goes. Common to both machines. */
import { DroverError } from '../domain/errors.ts';

export interface Convergence<S, E> {
  readonly events: readonly E[];
  readonly state: S;
  /** The bound was reached: what is left is decided by the next pass. */
  readonly more: boolean;
}

export interface Rules<S, E> {
  /** The next event in a state, or nothing. */
  readonly next: (state: S) => E | undefined;
  readonly evolve: (state: S, event: E) => S;
  /** Events of one commit at most. */
  readonly most: number;
}

/** A state is compared with those before it once in so many events: cheap, and a cycle is still found within one commit. */
const COMPARED_EVERY = 20;

/** @throws DroverError EVENT_ILLEGAL, or INTERNAL when a state comes back: then the rules would go on for ever */
export const converge = <S, E extends { readonly type: string }>(
  start: S,
  { next, evolve, most }: Rules<S, E>,
): Convergence<S, E> => {
  const events: E[] = [];
  const seen = new Set<string>();
  let state = start;
  for (;;) {
    const event = next(state);
    if (event === undefined) return { events, state, more: false };
    if (events.length >= most) return { events, state, more: true };
    state = evolve(state, event);
    events.push(event);
    if (events.length % COMPARED_EVERY !== 0) continue;
    const text = JSON.stringify(state);
    if (seen.has(text)) throw new DroverError('INTERNAL', `the plan does not converge: ${event.type}`);
    seen.add(text);
  }
};
