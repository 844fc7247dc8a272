/** Time and chance, handed in so that tests own them. */
export interface Clock {
  /** Epoch milliseconds: what the wall clock shows. It may be set, forwards and back. */
  now(): number;
  /** Milliseconds since some moment in the past. They only grow, however the wall clock is set: for durations. */
  monotonic(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Calls back once after `ms` have passed, whatever the wall clock shows; returns how to cancel. Any length is allowed. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back once when the wall clock shows `when`, also after it was set; returns how to cancel. Any distance is allowed. */
  at(when: number, callback: () => void): () => void;
}
