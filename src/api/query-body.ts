/** JSON in the body of a query: bounded, well-formed UTF-8, no deeper than anybody's parameters are (fault R2). */
import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { isObject, type JsonObject } from '../domain/json.ts';

const MAX_DEPTH = 64;

const depthOf = (value: unknown, limit: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (limit > 0 && Object.values(value).every((member) => depthOf(member, limit - 1)));

export type QueryBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'malformed'; readonly why: string };

export const readQueryBody = async (context: Context): Promise<QueryBody> => {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await context.req.arrayBuffer());
  } catch {
    return { kind: 'malformed', why: 'the body is no UTF-8' };
  }
  if (text.trim() === '') return { kind: 'none' };
  try {
    const value: unknown = JSON.parse(text);
    return depthOf(value, MAX_DEPTH)
      ? { kind: 'value', value }
      : { kind: 'malformed', why: 'the body is nested too deep' };
  } catch {
    return { kind: 'malformed', why: 'the body is not JSON' };
  }
};

export const isParams = (value: unknown): value is JsonObject => isObject(value);

/** `refuse` makes the answer in the form of the endpoint. */
export const queryBodyLimit = (maxBytes: number, refuse: (context: Context) => Response): MiddlewareHandler =>
  bodyLimit({ maxSize: maxBytes, onError: refuse });
