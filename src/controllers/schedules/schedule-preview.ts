/** Future runs of one schedule or of the whole fleet, from what is wished now (feature D14). */
import type { FireTime } from '../../domain/scheduled-bot.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { slotsBetween } from '../../domain/cron/slots-between.ts';
import type { SpecDefaults } from '../../documents/bot-document.ts';
import { anchored } from '../../machines/schedule/intend-schedule.ts';
import { jitterOf } from '../../machines/schedule/jitter.ts';
import type { SchedulePreview } from '../../ports/schedule-view.ts';
import type { ScheduleStore, SpecRecord } from '../../ports/spec-store.ts';
import type { ScheduleRequest } from '../../domain/schedule.ts';
import type { FoldStore } from '../fold-store.ts';
import { desiredSchedule } from './schedule-desire.ts';

export interface SchedulePreviewOptions {
  readonly schedules: Pick<ScheduleStore, 'read' | 'readFleet'>;
  readonly states: Pick<FoldStore<ScheduleState>, 'folds'>;
  readonly defaults: SpecDefaults;
}

export const createSchedulePreview = ({ schedules, states, defaults }: SchedulePreviewOptions): SchedulePreview => {
  const timesOf = (
    record: SpecRecord<ScheduleRequest>,
    range: { readonly from: number; readonly to: number; readonly limit: number },
  ): { readonly times: readonly FireTime[]; readonly more: boolean } => {
    const wish = desiredSchedule(record, defaults, false);
    if (wish.kind !== 'spec') return { times: [], more: false };
    const { cron, policy } = wish.spec;
    const context = states.folds().get(record.id)?.state.context;
    const offset = jitterOf(record.id, policy.jitterMs);
    const schedule = context === undefined ? cron : anchored(cron, context);
    const { slots, more } = slotsBetween(schedule, range.from - offset - 1, range.to - offset, range.limit);
    return { times: slots.map((slot) => ({ scheduleId: record.id, slot, dueAt: slot + offset })), more };
  };

  return {
    async read({ from, to, limit, id }) {
      if (id !== undefined) {
        const record = await schedules.read(id);
        return record === undefined ? { times: [], more: false } : timesOf(record, { from, to, limit });
      }
      const { records } = await schedules.readFleet();
      const folds = states.folds();
      const found = records
        .filter((record) => folds.get(record.id)?.state.at === 'armed')
        .map((record) => timesOf(record, { from, to, limit }));
      const times = found.flatMap((one) => one.times).sort((a, b) => a.dueAt - b.dueAt);
      return { times: times.slice(0, limit), more: times.length > limit || found.some(({ more }) => more) };
    },
  };
};
