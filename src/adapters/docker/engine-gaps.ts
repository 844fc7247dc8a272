/** When the engine was away. Whatever ended then ended with it, and is nobody's crash (fault R14). */

export interface EngineGaps {
  /** The event stream broke off. */
  lost(at: number): void;
  /** The event stream is there again. */
  back(at: number): void;
  /** A call found nobody there: an engine that shuts down refuses calls long before it ends its streams. */
  refused(at: number): void;
  /** A call was answered. */
  answered(at: number): void;
  /** `finishedAt` by the engine's clock, epoch ms. */
  includes(finishedAt: number): boolean;
}

/** An engine that shuts down ends its containers before anybody notices. */
const BEFORE_MS = 2_000;
/** One that starts again takes note of what died a moment after it answers. */
const AFTER_MS = 1_000;
const KEPT = 50;

export const createEngineGaps = (): EngineGaps => {
  const gaps: { from: number; to: number }[] = [];
  let streaming = true;
  const open = (at: number): void => {
    if (gaps.at(-1)?.to === Infinity) return;
    gaps.push({ from: at - BEFORE_MS, to: Infinity });
    if (gaps.length > KEPT) gaps.shift();
  };
  const close = (at: number): void => {
    const last = gaps.at(-1);
    if (last?.to === Infinity) last.to = at + AFTER_MS;
  };
  return {
    lost(at) {
      streaming = false;
      open(at);
    },
    back(at) {
      streaming = true;
      close(at);
    },
    refused: open,
    answered(at) {
      if (streaming) close(at);
    },
    includes: (finishedAt) => gaps.some(({ from, to }) => finishedAt >= from && finishedAt <= to),
  };
};
