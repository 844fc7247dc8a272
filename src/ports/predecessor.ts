/** Containers that the predecessor left running, for the move to drover. */

export interface PredecessorContainer {
  readonly botId: string;
  readonly container: string;
  readonly name: string;
  readonly image: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export interface Predecessor {
  /** Live realtime containers that carry the predecessor's labels and no install's. @throws DroverError as the engine */
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
  }>;
  /** Stops the predecessor's containers of one bot; drover then starts it. Returns the containers. @throws NOT_LEADER, BOT_NOT_FOUND */
  take(botId: string): Promise<readonly PredecessorContainer[]>;
}
