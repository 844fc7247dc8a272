/** State to and from its cached form. A snapshot of another machine version is no snapshot (§6 rule 6). */
import type { BotState } from '../domain/bot-state.ts';
import type { AnyState, Machine } from './machine.ts';

export interface Versioned<S> {
  readonly state: S;
  /** Version of the stream that the state includes. */
  readonly version: number;
}
export type VersionedState = Versioned<BotState>;

/** The cached form of a state. */
export const toSnapshot = <S extends AnyState>(
  { version: machineVersion }: Pick<Machine<S, never>, 'version'>,
  stream: string,
  { state, version }: Versioned<S>,
) => ({ stream, version, machineVersion, at: state.at, context: state.context });

/** The state a snapshot holds, or undefined when it was taken by another machine. */
export const fromSnapshot = <S extends AnyState>(
  machine: Pick<Machine<S, never>, 'version' | 'initial'>,
  snapshot: ReturnType<typeof toSnapshot>,
): Versioned<S> | undefined =>
  snapshot.machineVersion === machine.version
    ? // Written by this very machine, of this stream's kind.
      { state: { at: snapshot.at, context: snapshot.context } as S, version: snapshot.version }
    : undefined;
