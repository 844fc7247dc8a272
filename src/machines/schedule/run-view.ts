/** What the log of a run's container says to its schedule. Pure, like everything here. */
import type { BotState } from '../../domain/bot-state.ts';
import type { RunView } from '../../domain/schedule.ts';

/** It ended, and nothing starts it again; what its container left may still be tidied up. */
const hasEnded = ({ at, context }: BotState): boolean => {
  if (context.incarnation === 0) return false;
  if (at === 'failed.exhausted' || at === 'deleted') return true;
  // A look that finds it wished takes it out of here in the same commit.
  return at === 'stopped' && (context.completed || (!context.wanted && context.generation > 0 && !context.deleting));
};

/** Nothing more will come of it: it ended, its container is gone, and all that it left is stored. */
export const isRunOver = (state: BotState): boolean =>
  hasEnded(state) && state.context.container === null && state.context.storage?.unsynced === undefined;

const endOf = ({ at, context }: BotState): NonNullable<RunView['end']> => {
  const { lastExit, lastFailure, completed } = context;
  const failedLast = lastFailure !== null && lastFailure.at > (lastExit?.at ?? 0);
  const detail = failedLast ? lastFailure.detail : lastExit?.detail;
  return {
    at: context.since,
    succeeded: completed,
    stopped: (at === 'stopped' || at === 'deleted') && !completed,
    exitClass: lastExit?.class ?? null,
    exitCode: lastExit?.exitCode ?? null,
    attempts: context.starts,
    attempt: context.attempt,
    ...(detail === undefined ? {} : { detail }),
    ...(context.storage?.unsynced === undefined ? {} : { unsynced: true }),
  };
};

/** Times are those of the engine where it told them. */
export const runViewOf = (state: BotState): RunView => {
  const { firstStartedAt, container } = state.context;
  return {
    ...(typeof firstStartedAt === 'number' ? { startedAt: firstStartedAt } : {}),
    ...(container === null || container.exited === true ? {} : { container: container.ref.id }),
    ...(state.at === 'failed.backingOff' && (container === null || container.exited === true)
      ? { retrying: true }
      : {}),
    ...(hasEnded(state) ? { end: endOf(state) } : {}),
  };
};
