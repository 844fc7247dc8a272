/** The switch of a query that is thrown when its caller goes away before the answer is out. */
import type { Context } from 'hono';

interface NodeBindings {
  readonly outgoing?: {
    readonly writableFinished: boolean;
    once(event: 'close', listener: () => void): unknown;
  };
}

/** A request's own signal costs a whole Request of the platform: the connection says the same for nothing. */
export const callerControl = (context: Context): AbortController => {
  const control = new AbortController();
  const { outgoing } = (context.env ?? {}) as NodeBindings;
  if (outgoing === undefined) {
    const { signal } = context.req.raw;
    signal.addEventListener('abort', () => {
      control.abort(signal.reason);
    });
  } else {
    outgoing.once('close', () => {
      if (!outgoing.writableFinished) control.abort();
    });
  }
  return control;
};
