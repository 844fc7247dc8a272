/** What the engine says about one bot, in our words. Adapters make these; `sense` compares them with the state. */
import type { ErrorCode } from './errors.ts';
import type { SyncReport } from './sync-report.ts';

/** A container on some node, opaque: no host path and no address. */
export interface InstanceRef {
  readonly node: string;
  readonly id: string;
}

/** A live container of the0, or of another install of drover, for the same bot. */
export interface ForeignRef extends InstanceRef {
  /** Absent: of the0. */
  readonly install?: string;
}

/** One row of the resync's list of them. */
export interface ListedForeign {
  readonly botId: string;
  readonly ref: ForeignRef;
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** What `runtime execute` left behind for the controller. */
export interface ExitReport {
  readonly attempt: number;
  /** How far it came: an exit in another phase than `bot` is not the bot's own. */
  readonly phase: 'config' | 'code' | 'state' | 'bot' | 'sync';
  /** Exit code of the bot process, when it exited by itself. */
  readonly code?: number;
  /** What the bot itself said of its failure, e.g. by the SDK's `error(…)`. One bounded line. */
  readonly message?: string;
  /** Signal that ended the bot process, e.g. `SIGKILL`. */
  readonly signal?: string;
  /** Signal that PID 1 itself was sent, e.g. `SIGTERM`. */
  readonly received?: string;
  /** OOM kills counted by the container's cgroup before and after the bot ran. */
  readonly oomKills?: { readonly before: number; readonly after: number };
  readonly error?: { readonly code: ErrorCode; readonly detail: string };
  /** What the final sync achieved; absent when there was none. */
  readonly final?: { readonly stateSynced: boolean; readonly logsShipped: boolean };
  /** What became of the stop hook: its exit code, its signal, or that its time was over. */
  readonly hook?: { readonly code?: number; readonly signal?: string; readonly timedOut?: true };
}

export interface ObservedExit {
  readonly code: number;
  /** Docker's flag: sticky, and true also when only a child died. Never used alone. */
  readonly oomKilled: boolean;
  /** Of the container, bytes. */
  readonly memoryLimit?: number;
  /** Docker's own error text, e.g. of a start that failed. */
  readonly error?: string;
  /** Engine clock, epoch milliseconds. */
  readonly finishedAt: number;
  /** Only a report of this very attempt; a stale one is left out by the adapter. */
  readonly report?: ExitReport;
  /** Last lines of the container's output, bounded. */
  readonly logTail: readonly string[];
  /** The engine itself was away around the end of this container, or was started since. */
  readonly inEngineGap: boolean;
}

export interface ObservedContainer {
  readonly ref: InstanceRef;
  readonly status: ContainerStatus;
  /** Host process id; 0 when there is none. Only what has no process may be set aside. */
  readonly pid: number;
  readonly attempt: number;
  readonly incarnation: number;
  readonly generation: number;
  readonly specHash: string;
  /** Engine clock, epoch milliseconds; 0 when it never started. */
  readonly startedAt: number;
  /** SHA-256 of the code archive it was made with. */
  readonly codeDigest?: string;
  readonly exit?: ObservedExit;
  /** What its runtime says of state and logs; only of this very attempt. */
  readonly report?: SyncReport;
  /** How long its runtime has said nothing new, ms; absent when it was not asked, and of one that does not run. */
  readonly reportSilentMs?: number;
}

export type Observation =
  /** The engine did not answer: never to be taken for "not running". */
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'absent'; readonly foreign: readonly ForeignRef[] }
  /** `foreign` absent: it was not looked for. */
  | { readonly kind: 'present'; readonly container: ObservedContainer; readonly foreign?: readonly ForeignRef[] }
  /** Somebody else's container has our name. It is never touched. */
  | { readonly kind: 'nameTaken'; readonly ref: InstanceRef };

/** Has, or may have, a process: a second container beside it would be a twin (feature C9). */
export const isLive = (status: ContainerStatus): boolean =>
  status === 'running' || status === 'paused' || status === 'restarting';

/** One row of the resync's single list call. */
export interface ListedContainer {
  readonly ref: InstanceRef;
  readonly botId: string;
  readonly status: ContainerStatus;
  readonly specHash: string;
  readonly attempt: number;
  /** False when the labels are ours but the name is not: an impostor or one set aside. */
  readonly named: boolean;
  /** One of ours that was moved out of the way of its name. */
  readonly aside: boolean;
}
