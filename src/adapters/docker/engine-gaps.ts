/** When the engine was away. Whatever ended then ended with it, and is nobody's crash (architecture §3, fault R14). */

export interface EngineGaps {
  lost(at: number): void;
  back(at: number): void;
  /** `finishedAt` by the engine's clock, epoch ms. */
  includes(finishedAt: number): boolean;
}

/** An engine that shuts down ends its containers before it cuts the line. */
const BEFORE_MS = 2_000;
/** One that starts again takes note of what died a moment after it answers. */
const AFTER_MS = 1_000;
const KEPT = 50;

export const createEngineGaps = (): EngineGaps => {
  const gaps: { from: number; to: number }[] = [];
  return {
    lost(at) {
      if (gaps.at(-1)?.to === Infinity) return;
      gaps.push({ from: at - BEFORE_MS, to: Infinity });
      if (gaps.length > KEPT) gaps.shift();
    },
    back(at) {
      const open = gaps.at(-1);
      if (open?.to === Infinity) open.to = at + AFTER_MS;
    },
    includes: (finishedAt) => gaps.some(({ from, to }) => finishedAt >= from && finishedAt <= to),
  };
};
