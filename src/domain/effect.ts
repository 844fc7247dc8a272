/** What we ask of the world. Each is idempotent: asked twice, the world is the same. */
import type { BotSpec, RunWish } from './bot.ts';
import type { ErrorClass, ErrorCode } from './errors.ts';
import type { InstanceRef } from './observation.ts';
import type { SnapshotId } from './sync-report.ts';

export type StopSignal = 'SIGTERM' | 'SIGKILL';

/** All a container is made from. */
export interface ContainerPlan {
  readonly spec: BotSpec;
  readonly specHash: string;
  readonly incarnation: number;
  readonly generation: number;
  readonly attempt: number;
  /** The archive that the same spec was last run with, for a store that does not answer (fault R10). */
  readonly knownDigest?: string;
  readonly run?: RunWish;
}

export type Effect =
  | { readonly type: 'EnsureContainer'; readonly plan: ContainerPlan }
  | { readonly type: 'EnsureStarted'; readonly ref: InstanceRef; readonly plan: ContainerPlan }
  | { readonly type: 'EnsureSignalled'; readonly ref: InstanceRef; readonly signal: StopSignal }
  /** `force` also ends a process; without it a live container stays. */
  /** Brings configuration and store access once more into a container that was started again by hand. */
  | { readonly type: 'EnsureDelivered'; readonly ref: InstanceRef; readonly plan: ContainerPlan }
  /** Stores what lies on the volume alone. `image`: null when the document is gone. */
  | {
      readonly type: 'EnsureSynced';
      readonly incarnation: number;
      readonly attempt: number;
      readonly image: string | null;
      readonly timeoutMs: number;
      /** A run that does not write the state: only its logs are stored. */
      readonly readsOnly?: true;
    }
  | { readonly type: 'EnsureRemoved'; readonly ref: InstanceRef; readonly force: boolean }
  /** Frees the name of a container that has no process and cannot be removed. */
  | { readonly type: 'EnsureSetAside'; readonly ref: InstanceRef };

export type EffectType = Effect['type'];

export interface EffectFailure {
  readonly code: ErrorCode;
  readonly class: ErrorClass;
  readonly detail: string;
}

export type Outcome =
  | { readonly effect: Effect; readonly ok: true; readonly snapshot?: SnapshotId }
  | { readonly effect: Effect; readonly ok: false; readonly failure: EffectFailure };
