/** What a listener of one of the spec stores is told. */
import type { BotId } from '../../domain/bot.ts';
import type { Asked } from '../../ports/spec-store.ts';

/** Bots that always run and scheduled ones are wished in two stores, which share what they lie in. */
export const WISH_KINDS = ['bots', 'schedules'] as const;
export type WishKind = (typeof WISH_KINDS)[number];

export interface SpecChange {
  /** Undefined stands for any bot. */
  readonly id: BotId | undefined;
  readonly asked: Asked | undefined;
}
