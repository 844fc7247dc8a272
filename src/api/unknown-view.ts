/**
 * What the log says of a bot is what was seen last. While nobody can look (a dead engine), or nothing can be recorded (a full disk),
 * it is said to be unknown, with the reason and since when; `state` stays what was known last.
 */
import type { Condition } from '../domain/running-bot.ts';
import type { Trouble } from '../ports/fleet-view.ts';

/** `hasContainer`: it has one, or is to have one, so that an engine which does not answer leaves it unknown. */
export type TroubleOf = (id: string, hasContainer: boolean) => Trouble | undefined;

/** `ENGINE_UNAVAILABLE` → `EngineUnavailable`, as in every condition. */
const reasonOf = (code: string): string =>
  code
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

const unknown = (type: 'Ready' | 'ScheduleHealthy', trouble: Trouble, last: string): Condition => {
  const { since, count, code, detail } = trouble;
  const times = count > 1 ? `, ${String(count)} times` : '';
  const message = `unknown since ${new Date(since).toISOString()}${times}: ${detail}; last known: ${last}`;
  return { type, status: 'Unknown', reason: reasonOf(code), message, lastTransitionTime: since };
};

const instead = (conditions: readonly Condition[], one: Condition): readonly Condition[] => [
  one,
  ...conditions.filter(({ type }) => type !== one.type),
];

interface ShownBot {
  readonly botId: string;
  readonly status: string;
  readonly state: string;
  readonly wanted: boolean;
  readonly containerId: string | null;
  readonly conditions: readonly Condition[];
}

/** The bot as it is to be shown. */
export const botAsKnown = <T extends ShownBot>(bot: T, troubleOf: TroubleOf | undefined) => {
  if (bot.state === 'deleted') return bot;
  const trouble = troubleOf?.(bot.botId, bot.containerId !== null || bot.wanted);
  if (trouble === undefined) return bot;
  const conditions = instead(bot.conditions, unknown('Ready', trouble, bot.state));
  return { ...bot, status: 'unknown' as const, conditions };
};

interface ShownSchedule {
  readonly scheduleId: string;
  readonly state: string;
  readonly wanted: boolean;
  readonly conditions: readonly Condition[];
}

/** The schedule as it is to be shown. */
export const scheduleAsKnown = <T extends ShownSchedule>(schedule: T, troubleOf: TroubleOf | undefined) => {
  if (schedule.state === 'deleted') return schedule;
  const trouble = troubleOf?.(schedule.scheduleId, schedule.wanted);
  if (trouble === undefined) return schedule;
  return {
    ...schedule,
    conditions: instead(schedule.conditions, unknown('ScheduleHealthy', trouble, schedule.state)),
  };
};
