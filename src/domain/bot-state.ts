/** The fold of a bot's log: where it is in the statechart, and what it remembers. Plain JSON. */
import type { ContainerIdentity, ExitClass, GiveUpReason, StopReason, Unsynced } from './bot-event.ts';
import type { StartTerms } from './bot.ts';
import type { CodeReport, SnapshotId } from './sync-report.ts';

export type StatePath =
  'stopped' | 'starting' | 'running' | 'stopping' | 'failed.backingOff' | 'failed.exhausted' | 'deleted';

/** One-word summary; the four words of the seed and the two rests. */
export type Phase = 'stopped' | 'starting' | 'running' | 'stopping' | 'failed' | 'deleted';

export interface KnownContainer extends Omit<ContainerIdentity, 'at'> {
  readonly startedAt?: number;
  readonly paused?: boolean;
  /** Its end is recorded: it may be removed. */
  readonly exited?: boolean;
  /** Started again by hand: what it read once and removed is to be brought again. */
  readonly undelivered?: true;
}

/** One of the two things that are kept in the archive store, as last reported. */
export interface KeptStatus {
  readonly status: 'kept' | 'failing' | 'unknown';
  readonly since: number;
  readonly code?: string;
  readonly detail?: string;
}

/** What is known of a bot's state and logs. Absent until the first report. */
export interface StorageState {
  readonly state: KeptStatus;
  readonly logs: KeptStatus;
  /** The newest snapshot that is known. */
  readonly snapshot?: SnapshotId;
  /** Container whose restore, and whose outside edit, is recorded. */
  readonly restoredBy?: string;
  readonly editedBy?: string;
  readonly overLimit: readonly { readonly path: string; readonly bytes: number }[];
  readonly droppedBytes: number;
  /** What the archive holds and the container `by` did not unpack. */
  readonly skippedCode?: CodeReport & { readonly by: string; readonly since: number };
  /** On the volume alone since the end of this attempt; stored from there when nothing else starts. */
  readonly unsynced?: Unsynced & {
    readonly attempt: number;
    readonly tries: number;
    /** The next try is not due before this. */
    readonly retryAt: number;
  };
  /** The code archive that the latest container was made with. */
  readonly code?: { readonly specHash: string; readonly digest: string };
  /** Starts wait for disk space; its free share when that was noted. */
  readonly pressure?: number;
}

export interface LastExit {
  readonly at: number;
  readonly exitCode: number;
  readonly class: ExitClass;
  readonly code?: string;
  readonly detail?: string;
}

export interface LastFailure {
  readonly at: number;
  readonly code: string;
  readonly detail: string;
}

/** What there is to decide about after a failure. */
export interface Assessment {
  /** Null when no container ended: creating or starting one failed. */
  readonly exitClass: ExitClass | null;
  readonly exitCode: number | null;
  readonly terminal: boolean;
}

export interface StopInProgress {
  readonly reason: StopReason;
  readonly killAt: number;
  readonly termSent: boolean;
  readonly killSent: boolean;
}

export interface BotContext {
  /** How many times this id was created; 0 before the first. */
  readonly incarnation: number;
  readonly generation: number;
  readonly specHash: string | null;
  readonly specVersion: string | null;
  readonly wanted: boolean;
  readonly stopReason: StopReason | null;
  readonly deleting: boolean;
  /** Number of the latest start, counted over all incarnations. */
  readonly attempt: number;
  readonly container: KnownContainer | null;
  /** When the present state was entered. */
  readonly since: number;
  /** When the present container was seen running. */
  readonly runningSince: number | null;
  readonly healthy: boolean;
  /** Failures in a row: the exponent of the backoff. */
  readonly streak: number;
  /** Times of the latest crashes, oldest first, bounded. */
  readonly crashes: readonly number[];
  /** Starts seen in this incarnation, by us or by hand. */
  readonly starts: number;
  /** A failure about which nothing is decided yet. */
  readonly assess: Assessment | null;
  /** The next start is not due before this. */
  readonly notBefore: number | null;
  /** After a failed stop or removal, nothing is asked of the engine before this. */
  readonly holdUntil: number | null;
  readonly deadline: number | null;
  readonly stop: StopInProgress | null;
  readonly lastExit: LastExit | null;
  readonly lastFailure: LastFailure | null;
  readonly gaveUp: GiveUpReason | null;
  readonly completed: boolean;
  readonly rejected: { readonly code: string; readonly reason: string } | null;
  /** Container id of a live instance of the0, or of another install. */
  readonly foreign: string | null;
  /** The install whose it is; null or absent: of the0. */
  readonly foreignInstall?: string | null;
  /** A restart asked for and not yet begun. */
  readonly restartAsked: boolean;
  /** Ids of the latest requests taken, bounded: a request is taken once. */
  readonly requests: readonly string[];
  readonly storage?: StorageState;
  /** Of the latest start: for while its document is gone or cannot be understood. */
  readonly terms?: StartTerms;
  /** Crashes that are no longer in the list of the latest ones, and count where all crashes do. */
  readonly earlierCrashes?: number;
  /** Of a run that does not write the state. */
  readonly readsOnly?: true;
  /** Of a run alone: when it first ran, by the engine's clock; null: not yet. */
  readonly firstStartedAt?: number | null;
}

export interface BotState {
  readonly at: StatePath;
  readonly context: BotContext;
}

export const phaseOf = (path: StatePath): Phase => (path.startsWith('failed') ? 'failed' : (path as Phase));
