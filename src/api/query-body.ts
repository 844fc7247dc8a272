/** JSON in the body of a query: bounded, well-formed UTF-8, no deeper than anybody's parameters are (fault R2). */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { isObject, type JsonObject } from '../domain/json.ts';
import { readIncoming } from './read-incoming.ts';

const MAX_DEPTH = 64;

const isShallow = (value: unknown, limit = MAX_DEPTH): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (limit > 0 && Object.values(value).every((member) => isShallow(member, limit - 1)));

export type QueryBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'malformed'; readonly why: string }
  | { readonly kind: 'tooLarge' };

interface NodeBindings {
  readonly incoming?: IncomingMessage;
}

const incomingOf = ({ env }: Context): IncomingMessage | undefined => (env as NodeBindings | undefined)?.incoming;

/** Undefined for more than `maxBytes`: what is beyond them is not kept. */
const readBytes = async (context: Context, maxBytes: number): Promise<Buffer | undefined> => {
  if (Number(context.req.header('content-length') ?? 0) > maxBytes) return undefined;
  const incoming = incomingOf(context);
  if (incoming !== undefined) return readIncoming(incoming, maxBytes);
  const chunks: Uint8Array[] = [];
  let held = 0;
  for await (const chunk of (context.req.raw.body ?? []) as AsyncIterable<Uint8Array>) {
    held += chunk.length;
    if (held > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};

/** Known beforehand, of what Node serves. */
export const hasNoBody = (context: Context): boolean => {
  const headers = incomingOf(context)?.headers;
  if (headers === undefined) return false;
  const length = headers['content-length'];
  return length === '0' || (length === undefined && headers['transfer-encoding'] === undefined);
};

export const readQueryBody = async (context: Context, maxBytes: number): Promise<QueryBody> => {
  if (hasNoBody(context)) return { kind: 'none' };
  const bytes = await readBytes(context, maxBytes);
  if (bytes === undefined) return { kind: 'tooLarge' };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { kind: 'malformed', why: 'the body is not UTF-8' };
  }
  if (text.trim() === '') return { kind: 'none' };
  try {
    const value: unknown = JSON.parse(text);
    return isShallow(value) ? { kind: 'value', value } : { kind: 'malformed', why: 'the body is nested too deeply' };
  } catch {
    return { kind: 'malformed', why: 'the body is not JSON' };
  }
};

export const isParams = (value: unknown): value is JsonObject => isObject(value);
