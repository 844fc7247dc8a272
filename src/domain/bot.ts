/** What is wished of a bot (its spec) and how much of it. The words of the seed; shapes of contract §3 are decoded elsewhere. */
import type { JsonObject } from './json.ts';

export type BotId = string;

/** Runtimes of contract §6.1. Whether an image can run one is the image's matter. */
export const RUNTIMES = [
  'python3.11',
  'nodejs20',
  'dotnet8',
  'rust-stable',
  'gcc13',
  'cpp-gcc13',
  'ghc96',
  'scala3',
] as const;
export type Runtime = (typeof RUNTIMES)[number];

export const RESTART_POLICIES = ['always', 'on-failure', 'never'] as const;
export type RestartPolicy = (typeof RESTART_POLICIES)[number];

export interface BotLimits {
  /** Memory limit of the container, MiB. */
  readonly memoryMb: number;
  /** Docker's relative CPU weight. */
  readonly cpuShares: number;
  readonly pids: number;
}

/** The effective spec: the document with the operator's defaults filled in. */
export interface BotSpec {
  readonly id: BotId;
  /** User configuration, passed to the bot untouched. May hold secrets: never logged, never in an event. */
  readonly config: JsonObject;
  readonly code: { readonly filePath: string; readonly version: string };
  readonly runtime: Runtime;
  /** `stop`: a program that runs before SIGTERM, e.g. to close positions (feature C7). */
  readonly entrypoints: { readonly bot: string; readonly query?: string; readonly stop?: string };
  readonly image: string;
  readonly limits: BotLimits;
  readonly restartPolicy: RestartPolicy;
  /** Stages of a stop, milliseconds: the hook `entrypoints.stop`, the bot from SIGTERM to SIGKILL, the final sync. */
  readonly stopHookMs: number;
  readonly stopGraceMs: number;
  readonly finalSyncMs: number;
}

/** What PID 1 needs around the stages. */
const STOP_MARGIN_MS = 5_000;

/**
 * From the signal to a container until it is killed, milliseconds: the sum of all stages, so that a stop by hand and a
 * shutdown of the engine give the same grace (feature C6).
 */
export const stopBudgetMs = (spec: Pick<BotSpec, 'stopHookMs' | 'stopGraceMs' | 'finalSyncMs'>): number =>
  spec.stopHookMs + spec.stopGraceMs + spec.finalSyncMs + STOP_MARGIN_MS;

/** What a start was decided with, as far as its end depends on it. */
export interface StartTerms {
  readonly restartPolicy: RestartPolicy;
  /** As {@link stopBudgetMs}. */
  readonly stopBudgetMs: number;
}

/** Something a person or program asked of one bot; kept beside the spec so that its cause survives a lost wake. */
export interface BotRequest {
  readonly requestId: string;
  readonly kind: 'restart' | 'reset';
  readonly actor: string;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** What a run of a schedule is told beyond its spec. */
export interface RunWish {
  readonly key: string;
  /** Of its schedule: whose volumes it has. */
  readonly incarnation: number;
  /** Its slot, or when the command came; epoch ms. */
  readonly scheduledAt: number;
  /** It alone writes the state: of others that go on at the same time none does. */
  readonly writes: boolean;
  /** Numbers of its starts are higher. */
  readonly attempt: number;
}

/** The desired side of the comparison, as `plan` reads it. */
export type Desired =
  | {
      readonly kind: 'spec';
      readonly spec: BotSpec;
      readonly hash: string;
      readonly enabled: boolean;
      /** The operator drains the fleet: nothing runs, whatever the documents say. */
      readonly drained: boolean;
      readonly requests: readonly BotRequest[];
      /** Of a run of a schedule. */
      readonly run?: RunWish;
    }
  /** The document cannot be understood: nothing changes but what `enabled` says clearly. */
  | { readonly kind: 'invalid'; readonly code: string; readonly reason: string; readonly enabled: boolean | undefined }
  /** A complete, successful read says that it is wished no more. */
  | { readonly kind: 'gone' }
  /** The store did not answer, or its answer is suspect: go on with what the log says. */
  | { readonly kind: 'unknown'; readonly reason: string };
