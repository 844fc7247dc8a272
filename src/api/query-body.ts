/** JSON in the body of a query: bounded, well-formed UTF-8, no deeper than anybody's parameters are (fault R2). */
import type { IncomingMessage } from 'node:http';
import type { Context } from 'hono';
import { isObject, type JsonObject } from '../domain/json.ts';
import { JsonRefused, parseJson } from '../domain/parse-json.ts';
import { readIncoming } from './read-incoming.ts';

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
    return { kind: 'value', value: parseJson(text) };
  } catch (thrown) {
    const why = thrown instanceof JsonRefused && !thrown.isSyntax ? thrown.message : 'is not JSON';
    return { kind: 'malformed', why: `the body ${why}` };
  }
};

export const isParams = (value: unknown): value is JsonObject => isObject(value);
