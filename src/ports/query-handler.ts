/** What the QueryServer asks; implemented by the controllers. */
import type { Cancellation } from '../domain/cancellation.ts';
import type { Query, QueryAnswer, QueryMetrics } from '../domain/query.ts';

export interface QueryHandler {
  /**
   * `cancellation` is the one switch of this query: its caller throws it on going away, drover when its time is over. The answer's body
   * is read to its end or destroyed. @throws QueryFailure for everything that is no answer of the bot, and for errors of its handler
   */
  ask(query: Query, cancellation: Cancellation): Promise<QueryAnswer>;
  metrics(): QueryMetrics;
}
