/** Answers to requests that are not read to their end: the connection cannot be used again, and the answer must arrive all the same. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

interface NodeBindings {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/** So long a caller may go on sending before it looks at what it was told. */
const LINGER_MS = 500;

/** A connection that is closed with bytes unread is reset, and the answer with it. */
const afterTheRest = (incoming: IncomingMessage, then: () => void): void => {
  const done = (): void => {
    clearTimeout(timer);
    incoming.off('end', done).off('close', done);
    then();
  };
  const timer = setTimeout(done, LINGER_MS);
  incoming.on('end', done).on('close', done);
  incoming.resume();
};

export const answerUnread = (context: Context, status: ContentfulStatusCode, body: object): Response => {
  const { incoming, outgoing } = (context.env ?? {}) as NodeBindings;
  if (incoming === undefined || outgoing === undefined) return context.json(body, status, { connection: 'close' });
  const text = Buffer.from(JSON.stringify(body));
  outgoing.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(text.length),
    connection: 'close',
  });
  // Whole before its end: a caller that reads its length has it now.
  outgoing.write(text);
  afterTheRest(incoming, () => {
    outgoing.end();
  });
  return RESPONSE_ALREADY_SENT;
};
