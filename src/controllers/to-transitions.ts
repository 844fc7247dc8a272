/** Steps of a fold as the lines that operators read. */
import type { BotEvent } from '../domain/bot-event.ts';
import type { BotState } from '../domain/bot-state.ts';
import type { Commit } from '../domain/recorded.ts';
import type { ScheduleEvent } from '../domain/schedule-event.ts';
import type { ScheduleState } from '../domain/schedule-state.ts';
import type { BotTransition, ScheduleTransition } from '../domain/transition.ts';
import type { AnyState } from '../machines/machine.ts';
import type { Step } from './fold-commit.ts';

const common = <S extends AnyState, E extends { readonly at: number }>(
  botId: string,
  commit: Commit,
  { before, after, event, index, version }: Step<S, E>,
) => ({
  time: commit.recordedAt,
  position: commit.position,
  index,
  version,
  botId,
  causes: commit.causes,
  attempt: after.context.attempt,
  ...(after.at === before.at || before.context.since === 0 ? {} : { lastedMs: event.at - before.context.since }),
});

const containerOf = (before: BotState, after: BotState): string | undefined =>
  (after.context.container ?? before.context.container)?.ref.id;

export const toBotTransition = (
  kind: BotTransition['kind'],
  botId: string,
  commit: Commit,
  step: Step<BotState, BotEvent>,
): BotTransition => {
  const container = containerOf(step.before, step.after);
  return {
    kind,
    ...common(botId, commit, step),
    from: step.before.at,
    to: step.after.at,
    event: step.event,
    ...(container === undefined ? {} : { container }),
  };
};

export const toScheduleTransition = (
  botId: string,
  commit: Commit,
  step: Step<ScheduleState, ScheduleEvent>,
): ScheduleTransition => ({
  kind: 'schedule',
  ...common(botId, commit, step),
  from: step.before.at,
  to: step.after.at,
  event: step.event,
});
