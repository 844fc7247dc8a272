/**
 * Messages of contract §2.1, decoded: both shapes, as far as the reference's types go. What passes here is stored; whether
 * a bot can be made of it is said by its document. Nothing a message holds can make this throw (fault R1).
 */
import { z } from 'zod';
import { isObject, type JsonObject } from '../domain/json.ts';
import { botIdFault } from '../domain/naming.ts';

export type WishSubject = 'the0.bot.created' | 'the0.bot.updated' | 'the0.bot.deleted';

/** What a message sets in a document, as it was sent. */
export interface MessageContent {
  readonly config: JsonObject;
  readonly custom: JsonObject;
}

export type DecodedMessage =
  | { readonly kind: 'created' | 'updated'; readonly id: string; readonly content: MessageContent }
  | { readonly kind: 'deleted'; readonly id: string }
  | { readonly kind: 'malformed'; readonly reason: string };

/** As large as a document over the API may be, bytes. */
const MAX_SIZE = 2 * 1_024 * 1_024;
/** No stack of ours, and no document store, is safe below. */
const MAX_DEPTH = 64;

/** Keys that mean something to a language or to a document store, and nothing to a bot. */
const RESERVED = ['__proto__', '_bsontype'] as const;

const object = z.custom<JsonObject>(isObject, 'must be an object');
const textOrNone = z.string().nullish();
const entrypoints = z.record(z.string(), z.string()).nullish();
const custom = z
  .looseObject({
    version: textOrNone,
    filePath: textOrNone,
    createdAt: textOrNone,
    updatedAt: textOrNone,
    config: z.looseObject({ runtime: textOrNone, type: textOrNone, entrypoints }).nullish(),
  })
  .and(object);
const wish = z.object({ config: object, custom });
const times = z.object({ custom: z.object({ createdAt: z.unknown(), updatedAt: z.unknown() }).partial() }).partial();

const RFC3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
const isTime = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'string' && RFC3339.test(value) && !Number.isNaN(Date.parse(value)));

/** Why this value is not one we keep, or undefined. Walks without recursion. */
const hazard = (root: unknown): string | undefined => {
  let level: unknown[] = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MAX_DEPTH) return `nested more than ${String(MAX_DEPTH)} deep`;
    const inner: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const key of RESERVED) if (Object.hasOwn(value, key)) return `a key is \`${key}\``;
      for (const child of Object.values(value)) inner.push(child);
    }
    level = inner;
  }
  return undefined;
};

const malformed = (reason: string): DecodedMessage => ({ kind: 'malformed', reason: reason.slice(0, 500) });

const parse = (data: Uint8Array): { readonly value: unknown } | { readonly fault: string } => {
  if (data.byteLength === 0) return { fault: 'empty' };
  if (data.byteLength > MAX_SIZE) return { fault: `larger than ${String(MAX_SIZE)} bytes` };
  try {
    const value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data)) as unknown;
    const found = hazard(value);
    return found === undefined ? { value } : { fault: found };
  } catch (thrown) {
    return { fault: thrown instanceof SyntaxError ? `not JSON: ${thrown.message}` : 'not UTF-8' };
  }
};

/** The wish itself: the whole message, or the `data` of a wrapped one, which counts only when the message has no id. */
const unwrap = (message: Record<string, unknown>): { readonly body: unknown; readonly wrapped: boolean } => {
  const { id, data } = message;
  const direct = id !== undefined && id !== null && id !== '';
  return direct || data === undefined ? { body: message, wrapped: false } : { body: data, wrapped: true };
};

const faultsOf = (error: z.ZodError): string =>
  error.issues.map(({ path, message }) => `/${path.map(String).join('/')}: ${message}`).join('; ');

export const decodeBotMessage = (subject: WishSubject, data: Uint8Array): DecodedMessage => {
  const parsed = parse(data);
  if ('fault' in parsed) return malformed(parsed.fault);
  if (!isObject(parsed.value)) return malformed('not an object');
  const { body, wrapped } = unwrap(parsed.value);
  if (!isObject(body)) return malformed('/data: must be an object');
  const { id } = body;
  if (typeof id !== 'string') return malformed(`${wrapped ? '/data' : ''}/id: must be a text`);
  const fault = botIdFault(id);
  if (fault !== undefined) return malformed(`${wrapped ? '/data' : ''}/id: ${fault}`);
  if (wrapped) {
    const { custom: stamps } = times.safeParse(body).data ?? {};
    if (!isTime(stamps?.createdAt) || !isTime(stamps?.updatedAt)) {
      return malformed('/data/custom: createdAt and updatedAt must be RFC 3339 times');
    }
  }
  if (subject === 'the0.bot.deleted') return { kind: 'deleted', id };
  const content = wish.safeParse(body);
  if (!content.success) return malformed(faultsOf(content.error));
  const kind = subject === 'the0.bot.created' ? 'created' : 'updated';
  // What was sent, not what was parsed: unknown fields are the sender's.
  return { kind, id, content: { config: body['config'] as JsonObject, custom: body['custom'] as JsonObject } };
};
