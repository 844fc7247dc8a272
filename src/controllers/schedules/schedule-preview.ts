/** Future runs of one schedule or of the whole fleet, from what is wished now (feature D14). */
import { setImmediate as turn } from 'node:timers/promises';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { nextSlot } from '../../domain/cron/next-slot.ts';
import type { SpecDefaults } from '../../documents/bot-document.ts';
import { anchored } from '../../machines/schedule/intend-schedule.ts';
import { jitterOf } from '../../machines/schedule/jitter.ts';
import type { SchedulePreview } from '../../ports/schedule-view.ts';
import type { ScheduleStore, SpecRecord } from '../../ports/spec-store.ts';
import type { ScheduleRequest } from '../../domain/schedule.ts';
import type { FoldStore } from '../fold-store.ts';
import { mergeTimes, type TimesOf } from './merge-times.ts';
import { desiredSchedule } from './schedule-desire.ts';

export interface SchedulePreviewOptions {
  readonly schedules: Pick<ScheduleStore, 'read' | 'readFleet'>;
  readonly states: Pick<FoldStore<ScheduleState>, 'folds'>;
  readonly defaults: SpecDefaults;
}

/** Documents read before others have their turn. */
const AT_ONCE = 50;

export const createSchedulePreview = ({ schedules, states, defaults }: SchedulePreviewOptions): SchedulePreview => {
  const timesOf = (record: SpecRecord<ScheduleRequest>): TimesOf | undefined => {
    const wish = desiredSchedule(record, defaults, false);
    if (wish.kind !== 'spec') return undefined;
    const { cron, policy } = wish.spec;
    const context = states.folds().get(record.id)?.state.context;
    const offset = jitterOf(record.id, policy.jitterMs);
    const schedule = context === undefined ? cron : anchored(cron, context);
    return {
      scheduleId: record.id,
      next(after, isSlot) {
        const slot = nextSlot(schedule, isSlot ? after : after - offset);
        return slot === undefined ? undefined : { slot, dueAt: slot + offset };
      },
    };
  };

  return {
    async read({ from, to, limit, id }) {
      const folds = states.folds();
      const one = id === undefined ? undefined : await schedules.read(id);
      const all = id === undefined ? (await schedules.readFleet()).records : [];
      const shown = all.filter((record) => folds.get(record.id)?.state.at === 'armed');
      const found: TimesOf[] = [];
      for (const [n, record] of (one === undefined ? shown : [one]).entries()) {
        // Reading ten thousand documents takes a while: whoever asks must hold up no bot.
        if (n % AT_ONCE === AT_ONCE - 1) await turn();
        const times = timesOf(record);
        if (times !== undefined) found.push(times);
      }
      return mergeTimes(found, from, to, limit);
    },
  };
};
