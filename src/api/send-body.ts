/**
 * The body of a bot's reply on its way to the caller. Where the app is served by Node it goes straight to the connection: a web
 * stream in between costs memory and half of the speed.
 */
import { Readable, pipeline } from 'node:stream';
import type { ServerResponse } from 'node:http';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import { QueryFailure } from '../domain/query.ts';

interface NodeBindings {
  readonly outgoing?: ServerResponse;
}

/** A bot's page must not act with the rights of our origin in the browser that opens it. */
export const SANDBOX = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
} as const;

const ignore = (): void => undefined;

/** Errors of a stream that nobody listens to would end the process. */
export const listenToErrors = (body: Buffer | Readable): void => {
  if (!Buffer.isBuffer(body)) body.on('error', ignore);
};

/** Nobody will read it: whoever makes it is told to stop. */
export const discardBody = (body: Buffer | Readable): void => {
  if (Buffer.isBuffer(body)) return;
  body.on('error', ignore);
  body.destroy();
};

/** As they are in the headers of nearly all; what is longer or stranger is no value that a bot means. */
const HEADER_VALUE = /^[\x20-\x7e]{1,256}$/;

/** Undefined where the value, which is the bot's, can be sent as a header. */
export const headerFault = (name: string, value: string): string | undefined =>
  HEADER_VALUE.test(value) ? undefined : `the ${name} of the bot's reply cannot be forwarded`;

/**
 * A stream that breaks off ends the connection: nobody takes half of an answer for all of it.
 * @throws QueryFailure QUERY_REPLY_INVALID for headers that cannot be sent; the body is given up then
 */
export const sendBody = (
  context: Context,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | Readable,
): Response => {
  const { outgoing } = (context.env ?? {}) as NodeBindings;
  listenToErrors(body);
  try {
    if (outgoing === undefined) {
      const content = Buffer.isBuffer(body) ? new Uint8Array(body) : (Readable.toWeb(body) as ReadableStream);
      return new Response(content, { status, headers });
    }
    outgoing.writeHead(status, headers);
  } catch (cause) {
    discardBody(body);
    throw new QueryFailure('QUERY_REPLY_INVALID', 'the headers of the reply of the bot cannot be forwarded', { cause });
  }
  // As a text of bytes a small one leaves in one piece with its headers.
  if (Buffer.isBuffer(body)) outgoing.end(body.toString('latin1'), 'latin1');
  else pipeline(body, outgoing, ignore);
  return RESPONSE_ALREADY_SENT;
};
