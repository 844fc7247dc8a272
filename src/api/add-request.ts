/** Requests beside a document, bounded on arrival: what is asked again and again must not grow without limit. */
import { DroverError } from '../domain/errors.ts';
import type { AnyRequest, SpecStore } from '../ports/spec-store.ts';

/** Of one bot or schedule, of all kinds. */
const MOST_PENDING = 100;
/** Of requests that ask for the same: more would change nothing. */
const MOST_EQUAL = 10;

/** One that asks for the same as another one that waits, and needs no effect of its own. */
const isFolded = (kind: AnyRequest['kind']): boolean => kind === 'restart' || kind === 'reset' || kind === 'resume';

/**
 * Stores `request`, or finds one that asks for the same and waits. Returns the id under which it is in the log.
 * @throws DroverError REQUESTS_PENDING
 */
export const addRequest = async <R extends AnyRequest>(
  specs: Pick<SpecStore<R>, 'read' | 'addRequest'>,
  id: string,
  request: R,
): Promise<string> => {
  const waiting = (await specs.read(id))?.requests ?? [];
  const equal = waiting.filter(({ kind }) => kind === request.kind);
  const [pending] = equal;
  if (pending !== undefined && isFolded(request.kind) && equal.length >= MOST_EQUAL) return pending.requestId;
  if (waiting.length >= MOST_PENDING) {
    const message = `${String(waiting.length)} requests for ${JSON.stringify(id)} wait; drover has not taken them yet`;
    throw new DroverError('REQUESTS_PENDING', message);
  }
  await specs.addRequest(id, request);
  return request.requestId;
};
