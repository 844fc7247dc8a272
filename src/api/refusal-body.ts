/** What is said where no route answers, in the form that callers of the path know: the reference's, a query's, or the API's. */
import type { DroverError } from '../domain/errors.ts';
import { envelope } from './query-envelope.ts';

const QUERY = /^\/v1\/bots\/[^/]+\/query(?:\/|$)/;

export const refusalBody = (path: string, { code, message, remedy, class: kind }: DroverError): object => {
  // As callers of the query server know it (contract §8.3).
  if (path === '/query') return { status: 'error', error: message, ...envelope(performance.now()) };
  if (!QUERY.test(path)) return { error: { code, message, remedy } };
  return { status: 'error', error: message, code, botState: null, retryable: kind === 'retryable', remedy };
};
