/** The engine as queries need it: where a running bot is reached, and containers of their own for bots that do not run. */
import type { Readable } from 'node:stream';
import type { BotSpec } from '../domain/bot.ts';
import type { JsonObject } from '../domain/json.ts';
import type { InstanceRole } from '../domain/naming.ts';
import type { InstanceRef } from '../domain/observation.ts';
import type { AsOf } from '../domain/query.ts';

/** How one container's query server is reached. The SDK's server knows no token: what is said there is bound to the container. */
export interface QueryEndpoint {
  readonly via: 'address' | 'published';
  readonly host: string;
  readonly port: number;
  /**
   * Does this address still belong to this container, which still lives? Asked of every new connection: one that was bound stays
   * this container's. Undefined where only the engine can tell (fault R40).
   */
  holds(): boolean | undefined;
  /** Does the container's process still live? Cheap enough for every reply; undefined as above. */
  lives(): boolean | undefined;
  /** Nobody asks any more. */
  release(): void;
  /** Asks the engine. Never throws: undefined when it does not answer. */
  confirm(): Promise<boolean | undefined>;
}

export type EndpointLook =
  | { readonly kind: 'endpoint'; readonly endpoint: QueryEndpoint }
  /** The container is not there any more, or does not run. */
  | { readonly kind: 'gone' }
  /** It has no query program. */
  | { readonly kind: 'mute' }
  /** It runs and has no address: its network was taken away. */
  | { readonly kind: 'unreachable' };

/** All that an ephemeral query container is made from. */
export interface QueryPlan {
  /** `entrypoints.query` is there. */
  readonly spec: BotSpec;
  readonly specHash: string;
  readonly incarnation: number;
  /** Whose volumes: those of a bot, or of a schedule. */
  readonly of: InstanceRole;
  /** SHA-256 of the code archive. */
  readonly digest: string;
  readonly asOf?: AsOf;
  /** The volume turned out to be unusable: take the newest snapshot. */
  readonly avoidVolume?: true;
  readonly maxReplyBytes: number;
}

export interface QueryCall {
  readonly path: string;
  readonly params: JsonObject;
  readonly timeoutMs: number;
}

export interface ContainerReply {
  /** Exit code of the query program: 0 for an answer, else an error that it wrote itself. */
  readonly exitCode: number;
  readonly bytes: number;
  /** Exactly `bytes` bytes, or it fails with a DroverError. */
  readonly body: Readable;
  /** What it read: `volume`, `none`, `archive`, or a snapshot. */
  readonly state: string;
}

/** A container of role `query`. Whoever opened it removes it, whatever happens. */
export interface QueryContainer {
  readonly id: string;
  /**
   * One query; the next one only when the reply before was read to its end. Aborting does not end the container. A NotBegun says
   * that this one never ran.
   * @throws DroverError QUERY_NO_RESULT, QUERY_TIMEOUT, QUERY_REPLY_TOO_LARGE, QUERY_REPLY_INVALID, and why it could not be
   * prepared: ARCHIVE_*, CODE_*, ENTRYPOINT_MISSING, RUNTIME_UNSUPPORTED, STORAGE_UNAVAILABLE, STATE_RESTORE_FAILED,
   * SNAPSHOT_NOT_FOUND, STATE_UNSETTLED for a volume on which a restore broke off
   */
  ask(call: QueryCall, signal: AbortSignal): Promise<ContainerReply>;
  /** It ended by itself, or the connection to it did: of no use any more. */
  readonly ended: AbortSignal;
  /** Ends and removes it with all that is its own. Never throws. */
  remove(): Promise<void>;
}

export interface QueryContainers {
  /** @throws DroverError as the engine does */
  endpointOf(ref: InstanceRef): Promise<EndpointLook>;
  /**
   * Made, told what to prepare, and started; not waited for. When `signal` aborts it settles once nothing of it is left, after two
   * seconds at most. @throws DroverError as `ensureContainer` does
   */
  open(plan: QueryPlan, signal: AbortSignal): Promise<QueryContainer>;
  /** Removes query containers of this install that nobody talks to: of processes that were killed. Never throws. */
  sweep(): Promise<void>;
  /** Free share of the engine's memory, 0 to 1; undefined when it cannot be told. */
  memoryFree(): number | undefined;
}
