/**
 * The one switch of a piece of work that may be given up. Most work never is: this one costs nothing until somebody needs more of
 * it, where a signal of the platform costs a query a fifth of its time.
 */
export class Cancellation {
  private why: Error | undefined;
  private readonly listeners = new Set<() => void>();
  private controller: AbortController | undefined;

  /** Undefined until it is thrown. */
  get reason(): Error | undefined {
    return this.why;
  }

  /** The first reason counts. */
  cancel(reason: Error): void {
    if (this.why !== undefined) return;
    this.why = reason;
    this.controller?.abort(reason);
    const listeners = [...this.listeners];
    this.listeners.clear();
    for (const listener of listeners) listener();
  }

  /** Called once, at once where it was thrown already. The result takes the listener away. */
  onCancel(listener: () => void): () => void {
    if (this.why !== undefined) {
      listener();
      return () => undefined;
    }
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /** The same as a signal of the platform, for what takes no less. */
  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.why !== undefined) this.controller.abort(this.why);
    }
    return this.controller.signal;
  }

  /** Thrown when the signal is. */
  static of(signal: AbortSignal): Cancellation {
    const cancellation = new Cancellation();
    const follow = (): void => {
      const reason: unknown = signal.reason;
      cancellation.cancel(reason instanceof Error ? reason : new Error(String(reason)));
    };
    if (signal.aborted) follow();
    else signal.addEventListener('abort', follow, { once: true });
    return cancellation;
  }
}

/** Nobody waits for the answer any more: no defect, and told to nobody. */
export class CallerGone extends Error {
  constructor() {
    super('the caller closed the connection');
  }
}
