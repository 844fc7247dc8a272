/**
 * Messages of contract §2.1, as far as those of bots and of schedules are alike, and as far as the reference's types go. What
 * passes here is stored; whether a bot can be made of it is said by its document. Nothing a message holds can make this
 * throw (fault R1).
 */
import { z } from 'zod';
import { isObject, type JsonObject } from '../domain/json.ts';
import { botIdFault } from '../domain/naming.ts';
import { JsonRefused, parseJson } from '../domain/parse-json.ts';
import { plainError, toFaults } from './faults.ts';

/** What a message sets in a document, as it was sent. */
export interface MessageContent {
  readonly config: JsonObject;
  readonly custom: JsonObject;
}

export interface MalformedMessage {
  readonly kind: 'malformed';
  readonly reason: string;
}

export type DecodedMessage =
  | { readonly kind: 'created' | 'updated'; readonly id: string; readonly content: MessageContent }
  | { readonly kind: 'deleted'; readonly id: string }
  | MalformedMessage;

/** As large as a document over the API may be, bytes. */
const MAX_SIZE = 2 * 1_024 * 1_024;

/** Keys that mean something to a language or to a document store, and nothing to a bot. */
const RESERVED = ['__proto__', '_bsontype'] as const;

const object = z.custom<JsonObject>(isObject, 'must be an object');
const textOrNone = z.string().nullish();
const entrypoints = z.record(z.string(), z.string()).nullish();
const custom = z.looseObject({
  version: textOrNone,
  filePath: textOrNone,
  createdAt: textOrNone,
  updatedAt: textOrNone,
  config: z.looseObject({ runtime: textOrNone, type: textOrNone, entrypoints }).nullish(),
});
/** What is no object has one fault, whatever its fields should be. */
export const anObject = (fields: z.ZodType) =>
  z.unknown().superRefine((value, context) => {
    const issues = isObject(value) ? fields.safeParse(value, { error: plainError }).error?.issues : undefined;
    if (!isObject(value)) context.addIssue('must be an object');
    for (const { path, message } of issues ?? []) context.addIssue({ code: 'custom', path, message });
  });
/** What is sent of a bot that is made or changed. */
export const wishShape = z.object({ config: object, custom: anObject(custom) });
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
  while (level.length > 0) {
    const inner: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const key of RESERVED) if (Object.hasOwn(value, key)) return `the key \`${key}\` is not allowed`;
      for (const child of Object.values(value)) inner.push(child);
    }
    level = inner;
  }
  return undefined;
};

/** A reason quotes its sender, who may be long-winded. */
const MOST_CHARACTERS = 4_000;

export const malformed = (reason: string): MalformedMessage => ({
  kind: 'malformed',
  reason: reason.length > MOST_CHARACTERS ? `${reason.slice(0, MOST_CHARACTERS)}…` : reason,
});

const parse = (data: Uint8Array): { readonly value: unknown } | MalformedMessage => {
  if (data.byteLength === 0) return malformed('empty');
  if (data.byteLength > MAX_SIZE) return malformed(`larger than ${String(MAX_SIZE)} bytes`);
  try {
    const value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(data));
    const found = hazard(value);
    return found === undefined ? { value } : malformed(found);
  } catch (thrown) {
    // As a predicate it says "is not JSON".
    return malformed(thrown instanceof JsonRefused ? thrown.message.replace(/^is /, '') : 'not UTF-8');
  }
};

/** The object that was sent. */
export const readMessage = (
  data: Uint8Array,
): { readonly message: Readonly<Record<string, unknown>> } | MalformedMessage => {
  const parsed = parse(data);
  if ('kind' in parsed) return parsed;
  return isObject(parsed.value) ? { message: parsed.value } : malformed('not an object');
};

export interface WishForm {
  /** Where in the message the wish stands, as a JSON pointer. */
  readonly at: string;
  /** Must `createdAt` and `updatedAt` be times? */
  readonly checksTimes: boolean;
  /** Of what is sent when a bot is made or changed. */
  readonly shape: z.ZodType;
}

/** A message may be wrong in ten thousand places; a person reads the first ones. */
const MOST_FAULTS = 20;

/** Each fault once, also where two parts of a shape find the same. */
const faultsOf = (error: z.ZodError, at: string): string => {
  const texts = [...new Set(toFaults(error, at).map(({ pointer, message }) => `${pointer}: ${message}`))];
  const left = texts.length - MOST_FAULTS;
  return [...texts.slice(0, MOST_FAULTS), ...(left > 0 ? [`and ${String(left)} more`] : [])].join('; ');
};

/** What the subject wishes with this body. */
export const decodeWish = (
  subject: string,
  body: Readonly<Record<string, unknown>>,
  form: WishForm,
): DecodedMessage => {
  const { at, checksTimes, shape } = form;
  const { id } = body;
  if (typeof id !== 'string') return malformed(`${at}/id: must be a string`);
  const fault = botIdFault(id);
  if (fault !== undefined) return malformed(`${at}/id: ${fault}`);
  if (checksTimes) {
    const { custom: stamps } = times.safeParse(body).data ?? {};
    if (!isTime(stamps?.createdAt) || !isTime(stamps?.updatedAt)) {
      return malformed(`${at}/custom: createdAt and updatedAt must be RFC 3339 times`);
    }
  }
  if (subject.endsWith('.deleted')) return { kind: 'deleted', id };
  const content = shape.safeParse(body, { error: plainError });
  if (!content.success) return malformed(faultsOf(content.error, at));
  const kind = subject.endsWith('.created') ? 'created' : 'updated';
  // What was sent, not what was parsed: unknown fields are the sender's.
  return { kind, id, content: { config: body['config'] as JsonObject, custom: body['custom'] as JsonObject } };
};
