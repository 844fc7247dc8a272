/** Containers of this install that belong to no bot and to no run: an older data folder was restored, for example. */
import type { ContainerStatus } from '../domain/observation.ts';

export interface Orphan {
  /** The bot, or the run (`<schedule>/<key>`), that its labels name. */
  readonly id: string;
  readonly container: string;
  readonly status: ContainerStatus;
  /** When this process saw it first, epoch milliseconds. */
  readonly since: number;
}

export interface Orphans {
  /** As last listed. */
  list(): readonly Orphan[];
  /**
   * Stops and removes the containers of this id; its volumes stay. Returns the containers.
   * @throws DroverError BOT_NOT_FOUND when there is none, REQUEST_INVALID when a bot has this id, LEASE_LOST, as the engine
   */
  stop(id: string): Promise<readonly string[]>;
}
