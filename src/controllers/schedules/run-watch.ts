/** Tells a schedule when the log of one of its runs says something that it decides on: its start, its tries, its end. */
import type { BotState } from '../../domain/bot-state.ts';
import type { RunView } from '../../domain/schedule.ts';
import { runViewOf } from '../../machines/schedule/run-view.ts';
import type { Versioned } from '../../machines/snapshot.ts';

const word = ({ startedAt, retrying, end }: RunView): string => {
  if (end !== undefined) return 'ended';
  if (retrying === true) return 'retrying';
  return startedAt === undefined ? '' : 'started';
};

export const createRunWatch = (onNews: (runId: string, word: string) => void) => {
  const told = new Map<string, string>();
  return {
    onFolded(id: string, { state }: Versioned<BotState>): void {
      const now = word(runViewOf(state));
      if (now === '' || told.get(id) === now) return;
      told.set(id, now);
      onNews(id, now);
    },
    forget: (id: string): void => void told.delete(id),
  };
};
