/** The engine in our words. No verb takes or returns a host path or an address. */
import type { ContainerPlan, StopSignal } from '../domain/effect.ts';
import type { InstanceRef, ListedContainer, ListedForeign, Observation } from '../domain/observation.ts';

/** A change the engine reported; only ever a hint to look. */
export interface EngineSignal {
  /** Of a bot, or of a run (`domain/run-id.ts`), as in every call below. */
  readonly botId: string;
  readonly action: string;
  readonly container: string;
  /** Engine clock, epoch milliseconds. */
  readonly time: number;
}

export interface EngineWatch {
  /** One change of one container of ours. */
  onSignal(signal: EngineSignal): void;
  /** Connected (again): anything may have been missed, so look at everything. */
  onConnected(): void;
  onLost(reason: string): void;
}

/**
 * Every call has a deadline and throws DroverError: ENGINE_UNAVAILABLE, ENGINE_TIMEOUT, ENGINE_ERROR (retryable),
 * ENGINE_REFUSED (terminal), and those named at each verb. Calls that ensure are idempotent: done already is done.
 */
export interface ContainerEngine {
  /** Never throws for an engine that does not answer: that is `unknown`. */
  observe(id: string): Promise<Observation>;
  /** All containers of this install and of the kind that is kept, in one call. */
  list(): Promise<readonly ListedContainer[]>;
  /** Live containers of others for bots, or schedules, of whatever id, in one call that many share. */
  listForeign(): Promise<readonly ListedForeign[]>;
  /**
   * `signal` aborts when nobody wants the container any more: what waits for a registry or an archive store ends then.
   * @throws NAME_TAKEN, NAME_BUSY, IMAGE_UNAVAILABLE, ARCHIVE_MISSING, ARCHIVE_UNAVAILABLE, NETWORK_EXHAUSTED, NETWORK_UNSAFE
   */
  ensureContainer(plan: ContainerPlan, signal?: AbortSignal): Promise<void>;
  /** Delivers the configuration and starts. @throws as the engine does */
  ensureStarted(ref: InstanceRef, plan: ContainerPlan): Promise<void>;
  /** Unpauses first where that is needed for the signal to arrive. */
  ensureSignalled(ref: InstanceRef, signal: StopSignal): Promise<void>;
  ensureRemoved(ref: InstanceRef, force: boolean): Promise<void>;
  /** Only for a container without a process. */
  ensureSetAside(ref: InstanceRef): Promise<void>;
  /** Follows the engine's events until aborted; reconnects by itself, with backoff, for ever. */
  watch(watch: EngineWatch, signal: AbortSignal): void;
  /** Resolves when the engine answers. @throws DroverError ENGINE_UNAVAILABLE, ENGINE_TIMEOUT */
  ping(): Promise<void>;
  /** Resolves when bots may join their network, which may not be there yet. @throws DroverError NETWORK_UNSAFE, and as `ping` does */
  checkNetwork(): Promise<void>;
}
