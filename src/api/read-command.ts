/**
 * Bodies of what is asked of a schedule, read strictly: a word that is misspelt, or half a body, never passes for one that
 * was left out. A pause without its end is one for ever.
 */
import { z } from 'zod';
import { DroverError } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import type { ScheduleRequest } from '../domain/schedule.ts';
import { plainError, toFaults, type DocumentFault } from '../documents/faults.ts';
import { parseInstant } from './query-values.ts';

export type Command = ScheduleRequest extends infer R
  ? R extends ScheduleRequest
    ? Omit<R, 'requestId' | 'actor' | 'reason' | 'at'>
    : never
  : never;

export type ReadCommand =
  | { readonly kind: 'command'; readonly command: Command; readonly reason: string }
  | { readonly kind: 'invalid'; readonly pointers: readonly DocumentFault[] };

const MAX_REASON = 500;
const reason = z.string().optional();
const invalid = (message: string): DroverError => new DroverError('REQUEST_INVALID', message);

const reader =
  <B extends { readonly reason?: string | undefined }>(
    shape: z.ZodObject & z.ZodType<B>,
    commandOf: (body: B, now: number) => Command,
  ) =>
  (given: unknown, now: number): ReadCommand => {
    const { data, error } = shape.safeParse(given, { error: plainError });
    if (error !== undefined) return { kind: 'invalid', pointers: toFaults(error, '', Object.keys(shape.shape)) };
    return { kind: 'command', command: commandOf(data, now), reason: (data.reason ?? '').slice(0, MAX_REASON) };
  };

/** @throws DroverError REQUEST_INVALID for what could never be done */
export const READERS: Readonly<Record<ScheduleRequest['kind'], ReturnType<typeof reader>>> = {
  pause: reader(z.strictObject({ reason, until: z.string().optional() }), (body, now) => {
    if (body.until === undefined) return { kind: 'pause' };
    const until = parseInstant('until', body.until);
    if (until <= now) throw invalid('`until` is in the past');
    return { kind: 'pause', until };
  }),
  resume: reader(z.strictObject({ reason }), () => ({ kind: 'resume' })),
  trigger: reader(z.strictObject({ reason }), () => ({ kind: 'trigger' })),
  backfill: reader(
    z.strictObject({ reason, from: z.string(), to: z.string(), again: z.boolean().optional() }),
    (body, now) => {
      const from = parseInstant('from', body.from);
      const to = parseInstant('to', body.to);
      if (from > to) throw invalid('`from` is later than `to`');
      if (to > now) throw invalid('`to` is in the future: slots of the future run when they are due');
      return { kind: 'backfill', from, to, again: body.again === true };
    },
  ),
};

/** An empty object for no body at all; undefined for what is no JSON object. */
export const objectIn = (text: string): Readonly<Record<string, unknown>> | undefined => {
  if (text.trim() === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
};
