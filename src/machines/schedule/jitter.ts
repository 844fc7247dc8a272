/** A schedule's own share of its jitter: the same on every day and on every machine (feature D10). */
import { createHash } from 'node:crypto';

/** Milliseconds in [0, jitterMs], evenly spread over ids. */
export const jitterOf = (id: string, jitterMs: number): number => {
  if (jitterMs <= 0) return 0;
  const share = createHash('sha256').update(id).digest().readUInt32BE(0) / 2 ** 32;
  return Math.floor(share * (jitterMs + 1));
};
