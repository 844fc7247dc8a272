/**
 * The only place that knows the cron library. It is asked about a wall clock as if that clock were UTC's, where no hour
 * is skipped or repeated: its own ideas about changed clocks (02:30 in the gap becomes 03:30) never come into play.
 */
import { CronExpressionParser, type CronExpression } from 'cron-parser';
import { memo } from './memo.ts';

/** Patterns read lately. Reading one costs more than asking it; a storm asks the same few a thousand times. */
const KEPT_PATTERNS = 256;

const expressions = memo(KEPT_PATTERNS, (pattern): CronExpression =>
  CronExpressionParser.parse(pattern, { tz: 'UTC', currentDate: 0 }),
);

/** The first time on the wall clock that matches and is later; both on whole seconds, both as if in UTC. */
export const nextWall = (pattern: string, wall: number): number => {
  const expression = expressions(pattern);
  expression.reset(new Date(wall));
  return expression.next().getTime();
};
