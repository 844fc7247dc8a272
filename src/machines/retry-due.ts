/** Is the next try due? Decided about, and its time has come. One rule for what is seen and for what is done. */
import type { BotContext } from '../domain/bot-state.ts';

export const isRetryDue = ({ assess, notBefore }: BotContext, now: number): boolean =>
  assess === null && (notBefore ?? 0) <= now;
