/** What a person asks of a schedule: pauses, runs now, runs of the past. Kept beside the document until the log has taken it. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { DroverError } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import { commandKey } from '../domain/run-key.ts';
import type { ScheduleRequest } from '../domain/schedule.ts';
import { isEnabled } from '../documents/is-enabled.ts';
import { askedBy } from './asked.ts';
import type { ApiDeps } from './deps.ts';
import { refused } from './errors.ts';
import { parseInstant } from './query-values.ts';

type Body = Readonly<Record<string, unknown>>;
type Command = ScheduleRequest extends infer R
  ? R extends ScheduleRequest
    ? Omit<R, 'requestId' | 'actor' | 'reason' | 'at'>
    : never
  : never;

const MAX_BODY = 64 * 1024;
const invalid = (message: string): DroverError => new DroverError('REQUEST_INVALID', message);

const pause = (body: Body, now: number): Command => {
  if (body['until'] === undefined) return { kind: 'pause' };
  const until = parseInstant('until', body['until']);
  if (until <= now) throw invalid('`until` is in the past');
  return { kind: 'pause', until };
};

const backfill = (body: Body, now: number): Command => {
  const from = parseInstant('from', body['from']);
  const to = parseInstant('to', body['to']);
  if (from > to) throw invalid('`from` is later than `to`');
  if (to > now) throw invalid('`to` is in the future: those slots run by themselves');
  return { kind: 'backfill', from, to, again: body['again'] === true };
};

/** @throws DroverError REQUEST_INVALID for what could never be done */
const COMMANDS: Readonly<Record<ScheduleRequest['kind'], (body: Body, now: number) => Command>> = {
  pause,
  resume: () => ({ kind: 'resume' }),
  trigger: () => ({ kind: 'trigger' }),
  backfill,
};
const NEEDS_ENABLED: ReadonlySet<string> = new Set(['trigger', 'backfill']);

export const scheduleCommands = (deps: ApiDeps): Hono => {
  const { schedules, clock } = deps;
  const routes = new Hono();
  const small = bodyLimit({ maxSize: MAX_BODY, onError: (context) => refused(context, 413, 'it has at most 64 KiB') });

  for (const [kind, read] of Object.entries(COMMANDS)) {
    routes.post(`/:id/${kind}`, small, async (context) => {
      const id = context.req.param('id');
      const document = (await schedules.read(id))?.document ?? null;
      if (document === null) throw new DroverError('BOT_NOT_FOUND', `there is no schedule ${JSON.stringify(id)}`);
      const given: unknown = await context.req.json().catch(() => ({}));
      const body: Body = isObject(given) ? given : {};
      const command = read(body, clock.now());
      if (NEEDS_ENABLED.has(kind) && isEnabled(document) === false) {
        return refused(context, 409, 'it is disabled: enable it first');
      }
      const { requestId, actor, at } = askedBy(context, deps, kind);
      const reason = typeof body['reason'] === 'string' ? body['reason'].slice(0, 500) : '';
      await schedules.addRequest(id, { ...command, requestId, actor, reason, at });
      return context.json({ id, requestId, ...(kind === 'trigger' ? { key: commandKey(requestId) } : {}) }, 202);
    });
  }
  return routes;
};
