/** So many queries at once of one bot, and no more: one that is slow takes nothing from the others. */
import type { BotId } from '../../domain/bot.ts';
import { QueryFailure } from '../../domain/query.ts';

export interface BotLimit {
  /** The result ends it; once. @throws QueryFailure QUERY_OVERLOADED */
  enter(botId: BotId): () => void;
}

const RETRY_AFTER_S = 1;

/** `most`: of one bot. */
export const createBotLimit = (most: number): BotLimit => {
  const counts = new Map<BotId, number>();
  return {
    enter(botId) {
      const count = counts.get(botId) ?? 0;
      if (count >= most) {
        const message = `${String(count)} queries to this bot are in progress`;
        throw new QueryFailure('QUERY_OVERLOADED', message, { retryAfterS: RETRY_AFTER_S });
      }
      counts.set(botId, count + 1);
      return () => {
        const left = (counts.get(botId) ?? 1) - 1;
        if (left === 0) counts.delete(botId);
        else counts.set(botId, left);
      };
    },
  };
};
