/**
 * Paths that say where they lead. The adapter resolves `..` before anything is routed: what was asked for, and what whoever stands
 * before us let through, would be one path, and what answers another (fault R2).
 */
import { DroverError } from '../domain/errors.ts';
import { refusalBody } from './refusal-body.ts';

const DOTS = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

const pathOf = (target: string): string => {
  const cut = target.search(/[?#]/);
  return cut < 0 ? target : target.slice(0, cut);
};

/** `target` as it stands in the request line. */
export const isPlainTarget = (target: string): boolean =>
  (!target.includes('/.') && !target.includes('%')) || !DOTS.test(pathOf(target));

export const refuseTarget = (target: string): Response => {
  const error = new DroverError('REQUEST_INVALID', 'the path must not contain `.` or `..` as a segment');
  const headers = { 'content-type': 'application/json' };
  return new Response(JSON.stringify(refusalBody(pathOf(target), error)), { status: 400, headers });
};
