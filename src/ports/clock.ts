/** Time and chance, handed in so that tests own them. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Calls back once after `ms`; returns how to cancel. Any length is allowed. */
  after(ms: number, callback: () => void): () => void;
}
