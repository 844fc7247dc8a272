/** What the QueryServer asks; implemented by the controllers. */
import type { Query, QueryAnswer, QueryMetrics } from '../domain/query.ts';

export interface QueryHandler {
  /**
   * Aborting `signal` (the caller went away) gives the query up. The answer's body is read to its end or destroyed.
   * @throws QueryFailure for everything that is no answer of the bot, and for errors of its handler
   */
  ask(query: Query, signal: AbortSignal): Promise<QueryAnswer>;
  metrics(): QueryMetrics;
}
