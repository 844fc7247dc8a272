/** What a listener of the spec store is told. */
import type { BotId } from '../../domain/bot.ts';
import type { Asked } from '../../ports/spec-store.ts';

export interface SpecChange {
  /** Undefined stands for any bot. */
  readonly id: BotId | undefined;
  readonly asked: Asked | undefined;
}
