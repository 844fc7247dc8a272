/**
 * A body on its way to the caller. Where the app is served by Node it goes straight to the connection: a web stream in between
 * costs memory and half of the speed (issue 6, speed).
 */
import { Readable, pipeline } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';

interface NodeBindings {
  readonly outgoing?: ServerResponse;
}

/** A stream that breaks off ends the connection: nobody takes half of an answer for all of it. */
export const sendBody = (
  context: Context,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | Readable,
): Response => {
  const { outgoing } = (context.env ?? {}) as NodeBindings;
  if (outgoing === undefined) {
    const content = Buffer.isBuffer(body) ? new Uint8Array(body) : (Readable.toWeb(body) as ReadableStream);
    return new Response(content, { status, headers });
  }
  outgoing.writeHead(status, headers);
  // As a text of bytes a small one leaves in one piece with its headers.
  if (Buffer.isBuffer(body)) outgoing.end(body.toString('latin1'), 'latin1');
  else pipeline(body, outgoing, () => undefined);
  return RESPONSE_ALREADY_SENT;
};
