/**
 * What somebody should be told once, and not look for: a schedule that paused itself, and one that became late (features D17,
 * D18). A warning in the log of this process, and a message for whoever listens.
 */
import type { ScheduleTransition } from '../../domain/transition.ts';
import { subjectToken } from '../../domain/transitions-subject.ts';
import type { Logger } from '../../ports/logger.ts';

export interface Notice {
  readonly schedule: string;
  readonly reason: 'PausedItself' | 'Late';
  readonly message: string;
  /** Epoch milliseconds. */
  readonly at: number;
}

export const noticesSubject = (scheduleId: string): string => `drover.schedule.${subjectToken(scheduleId)}.notices`;

const noticeOf = ({ botId: schedule, event }: ScheduleTransition, wasLate: boolean): Notice | undefined => {
  if (event.type === 'SchedulePaused' && event.author === 'drover') {
    return { schedule, reason: 'PausedItself', message: event.note, at: event.at };
  }
  if (event.type === 'RunStarted' && event.late && !wasLate) {
    const message = `run ${event.key} started ${String(event.latenessMs)} ms after it was due`;
    return { schedule, reason: 'Late', message, at: event.at };
  }
  return undefined;
};

/** Takes the transitions of schedules in their order; tells only when `mayTell`, so that of several processes one does. */
export const createNotices = (options: {
  readonly mayTell: () => boolean;
  readonly logger: Logger;
  readonly publish: (subject: string, payload: string) => void;
}) => {
  const { mayTell, logger, publish } = options;
  const late = new Set<string>();
  return (transition: ScheduleTransition): void => {
    const { botId, event } = transition;
    const notice = noticeOf(transition, late.has(botId));
    if (event.type === 'RunStarted' && event.late) late.add(botId);
    else if (event.type === 'RunStarted' || event.type === 'ScheduleDeleted') late.delete(botId);
    if (notice === undefined || !mayTell()) return;
    logger.warn('schedule needs attention', { ...notice });
    publish(noticesSubject(botId), JSON.stringify(notice));
  };
};
