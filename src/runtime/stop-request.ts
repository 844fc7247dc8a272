/**
 * The wish that this container ends: the first signal asks, SIGINT after it hurries. Another SIGTERM changes nothing: a controller
 * that died between the signal and its record sends it again (ADR 0002), and the bot keeps its grace.
 */

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export interface StopRequest {
  /** Resolves with the first signal. */
  readonly asked: Promise<NodeJS.Signals>;
  /** Resolves with a SIGINT after the first signal: what is left of hook and grace is skipped. */
  readonly urgent: Promise<void>;
  /** The first signal, once it came. */
  received(): NodeJS.Signals | undefined;
}

/** From now on signals end nothing by themselves. */
export const hearStopRequests = (): StopRequest => {
  let first: NodeJS.Signals | undefined;
  let ask: (signal: NodeJS.Signals) => void = () => undefined;
  let hurry: () => void = () => undefined;
  const asked = new Promise<NodeJS.Signals>((resolve) => (ask = resolve));
  const urgent = new Promise<void>((resolve) => (hurry = resolve));
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (first !== undefined) {
        if (signal === 'SIGINT') hurry();
        return;
      }
      first = signal;
      ask(signal);
    });
  }
  return { asked, urgent, received: () => first };
};
