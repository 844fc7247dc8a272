/** How queries went since this process began. */
import type { QueryMetrics, QueryWay } from '../../domain/query.ts';
import type { QueryPool } from './query-pool.ts';

export interface QueryCounters {
  answered(way: QueryWay): void;
  failed(code: string): void;
  metrics(inFlight: number): QueryMetrics;
}

export const createQueryCounters = (pool: Pick<QueryPool, 'counts'>): QueryCounters => {
  const answered: Record<QueryWay, number> = { address: 0, published: 0, cold: 0, warm: 0 };
  // Codes are those of one table: this does not grow for ever.
  const failed: Record<string, number> = {};
  return {
    answered: (way) => {
      answered[way] += 1;
    },
    failed: (code) => {
      failed[code] = (failed[code] ?? 0) + 1;
    },
    metrics: (inFlight) => ({ answered: { ...answered }, failed: { ...failed }, inFlight, ...pool.counts() }),
  };
};
