/** What an operator is told about a schedule, read off its state: few conditions, stable reasons (features A5, D17, D18). */
import type { Condition } from '../../domain/running-bot.ts';
import type { ScheduleState } from '../../domain/schedule-state.ts';
import { durationText } from '../../domain/transition-line.ts';
import { camelCode } from '../reason.ts';

const iso = (at: number): string => new Date(at).toISOString();

const healthy = ({ at, context }: ScheduleState): Omit<Condition, 'type' | 'lastTransitionTime'> => {
  const { rejected, paused, failuresInRow, late, ended, clockBack } = context;
  if (rejected !== null) return { status: 'False', reason: camelCode(rejected.code), message: rejected.reason };
  if (at === 'disabled') {
    const isDrained = context.stopReason === 'drained';
    const why = isDrained ? ' by a drain of the fleet; see `drover drain --undo`' : ': no slot runs';
    return { status: 'Unknown', reason: 'Disabled', message: `the schedule is disabled${why}` };
  }
  if (paused !== null) {
    const until = paused.until === undefined ? '' : `, until ${iso(paused.until)}`;
    return { status: 'False', reason: 'Paused', message: `${paused.note || 'paused'} (by ${paused.author}${until})` };
  }
  if (clockBack != null) {
    const message = `the clock was ahead and went back by ${durationText(clockBack.byMs)} at ${iso(clockBack.at)}; slots count from then, and none runs twice`;
    return { status: 'False', reason: 'ClockBehind', message };
  }
  const last = ended.at(-1);
  if (failuresInRow > 0 && last !== undefined) {
    const many = failuresInRow === 1 ? 'the last run' : `the last ${String(failuresInRow)} runs`;
    return { status: 'False', reason: 'RunFailed', message: `${many} failed, the newest at ${iso(last.endedAt)}` };
  }
  if (late) return { status: 'False', reason: 'Late', message: 'the latest run started later than maxLatenessSeconds' };
  return { status: 'True', reason: 'AsWished', message: 'slots run when they are due' };
};

export const scheduleConditions = (state: ScheduleState): readonly Condition[] => {
  const { context } = state;
  const { rejected, since, generation } = context;
  return [
    { type: 'ScheduleHealthy', lastTransitionTime: since, ...healthy(state) },
    rejected === null
      ? {
          type: 'SpecValid',
          status: 'True',
          reason: 'Accepted',
          message: `generation ${String(generation)}`,
          lastTransitionTime: since,
        }
      : {
          type: 'SpecValid',
          status: 'False',
          reason: camelCode(rejected.code),
          message: rejected.reason,
          lastTransitionTime: since,
        },
  ];
};
