/** What a query container of tests is made from. */
import type { QueryPlan } from '../../src/ports/query-containers.ts';
import { aSpec } from './given.ts';

export const QUERY_PLAN: QueryPlan = {
  spec: aSpec({ entrypoints: { bot: 'main.js', query: 'query.js' } }),
  specHash: 'h',
  incarnation: 1,
  of: 'bot',
  digest: 'd',
  maxReplyBytes: 1_000,
};
