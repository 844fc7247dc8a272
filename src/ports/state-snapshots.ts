/** Earlier states of a bot: seen and chosen (feature E11). */
import type { BotId } from '../domain/bot.ts';
import type { SnapshotId } from '../domain/sync-report.ts';
import type { Asked } from './spec-store.ts';

export interface StateSnapshots {
  /** What the archive store holds of this bot, as `runtime state list` says it. @throws DroverError BOT_NOT_FOUND, and as the tool reports */
  list(botId: BotId): Promise<unknown>;
  /**
   * Verifies the snapshot whole and makes it the state of the next start; a bot that runs, or that was given up, is started
   * again. What is replaced is kept as a snapshot. @throws as list
   */
  choose(botId: BotId, snapshot: SnapshotId, asked: Asked): Promise<void>;
}
