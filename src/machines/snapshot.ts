/** State to and from its cached form. A snapshot of another machine version is no snapshot (§6 rule 6). */
import type { BotState } from '../domain/bot-state.ts';
import { MACHINE_VERSION } from './bot-machine.ts';

export interface VersionedState {
  readonly state: BotState;
  /** Version of the stream that the state includes. */
  readonly version: number;
}

/** The cached form of a bot's state. */
export const toSnapshot = (stream: string, { state, version }: VersionedState) => ({
  stream,
  version,
  machineVersion: MACHINE_VERSION,
  at: state.at,
  context: state.context,
});

/** The state a snapshot holds, or undefined when it was taken by another machine. */
export const fromSnapshot = (snapshot: ReturnType<typeof toSnapshot>): VersionedState | undefined =>
  snapshot.machineVersion === MACHINE_VERSION
    ? { state: { at: snapshot.at, context: snapshot.context }, version: snapshot.version }
    : undefined;
