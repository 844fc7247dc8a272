/** What the API shows of a bot: the seed's RunningBot, read off the machine's state. */
import type { Phase, StatePath } from './bot-state.ts';

/** Field standard: {type, status, reason, message, lastTransitionTime}; `reason` is CamelCase and stable. */
export interface Condition {
  readonly type:
    | 'Ready'
    | 'Progressing'
    | 'Degraded'
    | 'SpecValid'
    | 'SpecClear'
    | 'CodeComplete'
    | 'StateSynced'
    | 'LogsShipped'
    | 'ScheduleHealthy'
    /** Its turns fail. */
    | 'ReconcileFailing'
    /** Its log cannot be folded: its state is not known. */
    | 'LogCorrupt';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  /** Epoch milliseconds. */
  readonly lastTransitionTime: number;
}

export interface RunningBot {
  readonly botId: string;
  readonly containerId: string | null;
  readonly status: Phase | 'unknown';
  /** Full state, e.g. `failed.backingOff`. */
  readonly state: StatePath | 'unknown';
  /** When the present container started, epoch milliseconds. */
  readonly startTime: number | null;
  readonly restarts: number;
  readonly generation: number;
  /** Generation of the container that runs. */
  readonly observedGeneration: number | null;
  readonly attempt: number;
  readonly wanted: boolean;
  readonly notBefore: number | null;
  readonly lastExit: {
    readonly exitCode: number;
    readonly class: string;
    readonly at: number;
    /** Why, where that is known: the bot's own word, a signal, an error of its start. */
    readonly detail?: string;
  } | null;
  /** State or logs lie on the volume alone: `stopped(unsynced)` (feature E3). */
  readonly unsynced: boolean;
  readonly conditions: readonly Condition[];
  readonly version: number;
}

/** One of which no log says anything. */
export const blankBot = (
  botId: string,
  state: 'stopped' | 'unknown',
  conditions: readonly Condition[],
): RunningBot => ({
  botId,
  containerId: null,
  status: state,
  state,
  startTime: null,
  restarts: 0,
  generation: 0,
  observedGeneration: null,
  attempt: 0,
  wanted: false,
  notBefore: null,
  lastExit: null,
  unsynced: false,
  conditions,
  version: 0,
});

/** The seed's ServiceState metrics. */
export interface FleetMetrics {
  readonly bots: Readonly<Record<Phase, number>>;
  readonly starts: number;
  readonly restarts: number;
  readonly crashes: number;
  readonly transitions: number;
  readonly reconciles: number;
  readonly conflicts: number;
  readonly failures: number;
  readonly lastResyncAt: number | null;
}
