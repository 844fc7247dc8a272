/**
 * Which of the requests that wait one pass takes. The store keeps a request until the log has taken it, and the log remembers a
 * bounded number of ids: it must never forget one that the store still has, or that request would be taken again.
 */

/** Ids that a context remembers: more than one pass takes. */
const REMEMBERED = 200;
/** What one pass takes at most; the next one goes on with the rest. */
const TAKEN_AT_ONCE = 100;

interface Request {
  readonly requestId: string;
}

interface Portion<R extends Request> {
  readonly requests: readonly R[];
  /** Others wait for the next pass. */
  readonly more: boolean;
}

/** So many that no id is forgotten which the store still has. */
const portionOf = <R extends Request>(known: readonly string[], waiting: readonly R[]): Portion<R> => {
  const places = new Map(known.map((requestId, place) => [requestId, place]));
  const fresh = waiting.filter(({ requestId }) => !places.has(requestId));
  const stillStored = waiting.flatMap(({ requestId }) => places.get(requestId) ?? []);
  const oldest = stillStored.reduce((least, place) => Math.min(least, place), known.length);
  const room = Math.max(0, Math.min(TAKEN_AT_ONCE, REMEMBERED - (known.length - oldest)));
  return { requests: fresh.slice(0, room), more: fresh.length > room };
};

/** The ids with these added, each once, the oldest forgotten. */
export const remembered = (known: readonly string[], ids: readonly string[]): readonly string[] =>
  [...new Set([...known, ...ids])].slice(-REMEMBERED);

/** What a pass is given, with only those requests of its wish that it may take. `known`: ids that the context remembers. */
export const inPortion = <
  G extends { readonly desired: { readonly kind: string; readonly requests?: readonly Request[] } },
>(
  known: readonly string[],
  given: G,
): { readonly given: G; readonly more: boolean } => {
  const { desired } = given;
  if (desired.requests === undefined || desired.requests.length === 0) return { given, more: false };
  const { requests, more } = portionOf(known, desired.requests);
  return { given: { ...given, desired: { ...desired, requests } }, more };
};
