/** How much queries may take; from the settings. */

export interface QueryPolicy {
  /** An ephemeral container that answered is kept this long for the next query; 0: never. */
  readonly warmTtlMs: number;
  /** Ephemeral query containers at once, warm ones among them. */
  readonly containers: number;
  /** Queries that may wait for one; beyond it 429 (feature F4). */
  readonly queue: number;
  /** Queries under way at one running bot; beyond it 429. */
  readonly inFlightPerBot: number;
  readonly maxReplyBytes: number;
  /** So long after its start a running bot's query server may still not listen. */
  readonly settleMs: number;
}

/** Less free memory than this share, and nothing is kept warm. */
export const SHORT_OF_MEMORY = 0.1;
