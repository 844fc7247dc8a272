/**
 * A run as the loop knows it: `<schedule id>/<run key>`. Ids of bots hold no `/`, so one engine, one log and one state machine
 * serve both, and what belongs to whom is read off the id itself.
 */
import type { BotId } from './bot.ts';

export interface RunParts {
  readonly scheduleId: BotId;
  readonly key: string;
}

export const runId = ({ scheduleId, key }: RunParts): string => `${scheduleId}/${key}`;

/** Undefined for the id of a bot. */
export const partsOfRun = (id: string): RunParts | undefined => {
  const at = id.indexOf('/');
  return at < 0 ? undefined : { scheduleId: id.slice(0, at), key: id.slice(at + 1) };
};

/** The id of what a plan makes: a bot, or a run of a schedule. */
export const instanceId = (plan: {
  readonly spec: { readonly id: BotId };
  readonly run?: { readonly key: string };
}): string => (plan.run === undefined ? plan.spec.id : runId({ scheduleId: plan.spec.id, key: plan.run.key }));

/** Whose state, logs and keys these are: the schedule's for a run, else the bot's own. */
export const ownerOf = (id: string): BotId => partsOfRun(id)?.scheduleId ?? id;

const STREAM_PREFIX = 'run:';
export const runStream = (id: string): string => `${STREAM_PREFIX}${id}`;
export const runOfStream = (stream: string): string | undefined =>
  stream.startsWith(STREAM_PREFIX) ? stream.slice(STREAM_PREFIX.length) : undefined;
