/** The switch of a query that is thrown when its caller goes away before the answer is out. */
import type { Context } from 'hono';
import { Cancellation } from '../domain/cancellation.ts';

interface NodeBindings {
  readonly outgoing?: {
    readonly writableFinished: boolean;
    once(event: 'close', listener: () => void): unknown;
  };
}

/** A request's own signal costs a whole Request of the platform: the connection says the same for nothing. */
export const callerCancellation = (context: Context): Cancellation => {
  const { outgoing } = (context.env ?? {}) as NodeBindings;
  if (outgoing === undefined) {
    return Cancellation.of(context.req.raw.signal);
  }
  const cancellation = new Cancellation();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) cancellation.cancel(new Error('its caller went away'));
  });
  return cancellation;
};
