/** `next_execution_time` kept true for other readers (contract §3): whoever reads it, the predecessor too, finds the next slot. */
import type { BotId } from '../../domain/bot.ts';
import { toDroverError } from '../../domain/errors.ts';
import type { DesiredSchedule } from '../../domain/schedule.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { nextToRun } from '../../machines/schedule/due-slots.ts';
import { anchored } from '../../machines/schedule/intend-schedule.ts';
import { jitterOf } from '../../machines/schedule/jitter.ts';
import type { Logger } from '../../ports/logger.ts';
import type { ScheduleStore } from '../../ports/spec-store.ts';

export interface NextExecution {
  /** After each pass over a schedule. Never throws: the next pass tries again. */
  planned(id: BotId, state: ScheduleState, desired: DesiredSchedule, now: number): void;
  /** When it runs next by itself, with its jitter, epoch ms. */
  at(id: BotId): number | undefined;
}

export const createNextExecution = (
  schedules: Pick<ScheduleStore, 'noteNextExecution'>,
  logger: Logger,
): NextExecution => {
  const known = new Map<BotId, { readonly slot: number | undefined; readonly dueAt: number | undefined }>();

  const note = (id: BotId, slot: number | undefined): void => {
    schedules
      .noteNextExecution(id, slot === undefined ? undefined : Math.floor(slot / 1_000))
      .catch((thrown: unknown) => {
        known.delete(id);
        logger.debug('cannot write next_execution_time', { schedule: id, detail: toDroverError(thrown).message });
      });
  };

  return {
    planned(id, { at, context }, desired, now) {
      if (desired.kind === 'gone') known.delete(id);
      if (desired.kind !== 'spec') return;
      const { cron, policy } = desired.spec;
      // A slot that is claimed is no next one; nor is one that passes because nothing is to run at the time.
      const after = at === 'armed' ? context.cursor : Math.max(context.cursor, now);
      const slot = nextToRun(anchored(cron, context), after, context.ran);
      const before = known.get(id);
      const dueAt = slot === undefined ? undefined : slot + jitterOf(id, policy.jitterMs);
      known.set(id, { slot, dueAt });
      if (before === undefined || before.slot !== slot) note(id, slot);
    },
    at: (id) => known.get(id)?.dueAt,
  };
};
