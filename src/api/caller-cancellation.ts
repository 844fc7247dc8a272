/** The switch of a query that is thrown when its caller goes away before the answer is out. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Context } from 'hono';
import { CallerGone, Cancellation } from '../domain/cancellation.ts';

interface NodeBindings {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/** What is under way on each connection: one listener for all of it, however much is pipelined. */
const underWay = new WeakMap<Socket, Set<Cancellation>>();

const queriesOn = (socket: Socket): Set<Cancellation> => {
  const known = underWay.get(socket);
  if (known !== undefined) return known;
  const queries = new Set<Cancellation>();
  underWay.set(socket, queries);
  socket.once('close', () => {
    for (const cancellation of queries) cancellation.cancel(new CallerGone());
    queries.clear();
  });
  return queries;
};

/**
 * A request's own signal costs a whole Request of the platform: the connection says the same for nothing. A response that waits
 * behind others on its connection has no socket yet, and is never told that it closed.
 */
export const callerCancellation = (context: Context): Cancellation => {
  const { incoming, outgoing } = (context.env ?? {}) as NodeBindings;
  if (incoming === undefined || outgoing === undefined) {
    return Cancellation.of(context.req.raw.signal);
  }
  const cancellation = new Cancellation();
  const { socket } = incoming;
  if (socket.destroyed || outgoing.destroyed) {
    cancellation.cancel(new CallerGone());
    return cancellation;
  }
  const queries = queriesOn(socket);
  queries.add(cancellation);
  outgoing.once('close', () => {
    queries.delete(cancellation);
    if (!outgoing.writableFinished) cancellation.cancel(new CallerGone());
  });
  return cancellation;
};
