/** Containers of bots that the0, or another install of drover, runs on this engine. */

export interface PredecessorContainer {
  readonly botId: string;
  readonly container: string;
  readonly name: string;
  readonly image: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** The install of drover whose it is; absent: of the0. */
  readonly install?: string;
}

export interface Predecessor {
  /** Live realtime containers of the0 and of other installs of drover. @throws DroverError as the engine */
  list(): Promise<readonly PredecessorContainer[]>;
  /**
   * SIGTERM, then time to end by itself, then SIGKILL. Resolves once it has ended; one that is gone is done.
   * @throws DroverError as the engine, LEASE_LOST
   */
  stop(container: string, graceMs: number): Promise<void>;
}

export interface Takeover {
  /** What would be stopped, and what would be left because no bot of ours has its id. Changes nothing. */
  look(): Promise<{
    readonly ours: readonly PredecessorContainer[];
    readonly strangers: readonly PredecessorContainer[];
    /** Of other installs of drover, for enabled bots of ours. */
    readonly installs: readonly PredecessorContainer[];
  }>;
  /** Stops the containers that the0, or the install that is named, has of one bot; drover then starts it. Returns the containers. @throws NOT_LEADER, BOT_NOT_FOUND */
  take(botId: string, install?: string): Promise<readonly PredecessorContainer[]>;
}
