/** What a caller hands in as text: instants and numbers, or an error that says what is wrong with them. */
import type { Context } from 'hono';
import { DroverError } from '../domain/errors.ts';

/** With its zone, or it would mean another time to another reader. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;

/** Epoch ms. @throws DroverError REQUEST_INVALID */
export const parseInstant = (name: string, text: unknown): number => {
  const at = typeof text === 'string' && INSTANT.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(at)) return at;
  throw new DroverError(
    'REQUEST_INVALID',
    `\`${name}\` must be an instant with its zone, such as 2026-01-31T09:00:00Z`,
  );
};

/** Undefined when it is not given. @throws DroverError REQUEST_INVALID */
export const instantIn = (context: Context, name: string): number | undefined => {
  const text = context.req.query(name);
  return text === undefined ? undefined : parseInstant(name, text);
};

/** @throws DroverError REQUEST_INVALID */
export const wholeIn = (context: Context, name: string, otherwise: number, most: number): number => {
  const text = context.req.query(name);
  if (text === undefined) return otherwise;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= most) return value;
  throw new DroverError('REQUEST_INVALID', `\`${name}\` must be a whole number from 1 to ${String(most)}`);
};
