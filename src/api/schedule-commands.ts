/** What a person asks of a schedule: pauses, runs now, runs of the past. Kept beside the document until the log has taken it. */
import { Hono } from 'hono';
import { DroverError } from '../domain/errors.ts';
import { commandKey } from '../domain/run-key.ts';
import { BACKFILL_MOST } from '../domain/schedule.ts';
import { decodeScheduleDocument } from '../documents/schedule-document.ts';
import { addRequest } from './add-request.ts';
import { askedBy } from './asked.ts';
import { commandId } from './command-id.ts';
import type { ApiDeps } from './deps.ts';
import { answerError, refused } from './errors.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { objectIn, READERS } from './read-command.ts';

/** Slots of a range that are counted; what is beyond is `more than`. */
const COUNTED_MOST = 10_000;
/** Those that make runs: for them there has to be something that can run. */
const MAKES_RUNS: ReadonlySet<string> = new Set(['trigger', 'backfill']);

export const scheduleCommands = (deps: ApiDeps, oneAtATime: OneAtATime): Hono => {
  const { schedules, scheduleReaders, clock, defaults } = deps;
  const routes = new Hono();

  /** Why a range holds too many slots for one backfill, or undefined. */
  const slotsIn = async (
    id: string,
    { from, to }: { readonly from: number; readonly to: number },
    jitterMs: number,
  ): Promise<string | undefined> => {
    const { times, more } = await scheduleReaders.preview.read({ id, from, to: to + jitterMs, limit: COUNTED_MOST });
    // A preview counts runs by when they are due, which is up to the jitter after their slots.
    const count = times.filter(({ slot }) => slot <= to).length;
    if (count <= BACKFILL_MOST) return undefined;
    const many = `${more ? 'more than ' : ''}${count.toLocaleString('en')}`;
    return `the range from \`from\` to \`to\` has ${many} slots, and a backfill runs at most ${String(BACKFILL_MOST)}`;
  };

  for (const [kind, read] of Object.entries(READERS)) {
    routes.post(`/:id/${kind}`, async (context) => {
      const id = context.req.param('id');
      const document = (await schedules.read(id))?.document ?? null;
      if (document === null) throw new DroverError('BOT_NOT_FOUND', `there is no schedule ${JSON.stringify(id)}`);
      const body = objectIn(await context.req.text());
      if (body === undefined) return refused(context, 400, 'the body is not a JSON object');
      const asked = read(body, clock.now());
      if (asked.kind === 'invalid') {
        const { pointers } = asked;
        const message = pointers.map((fault) => `${fault.pointer}: ${fault.message}`).join('; ');
        return answerError(context, new DroverError('REQUEST_INVALID', message.slice(0, 500)), { pointers });
      }
      if (MAKES_RUNS.has(kind)) {
        const decoded = decodeScheduleDocument(id, document, defaults);
        if (decoded.enabled === false) return refused(context, 409, 'the schedule is disabled: enable it first');
        if (decoded.kind === 'invalid')
          return refused(context, 409, `the document of the schedule is not valid: ${decoded.reason}`);
        if ((await schedules.readFleet()).drain !== undefined)
          return refused(context, 409, 'the fleet is drained: run `drover drain --undo` first');
        const { command } = asked;
        const tooMany =
          command.kind === 'backfill' ? await slotsIn(id, command, decoded.spec.policy.jitterMs) : undefined;
        if (tooMany !== undefined) return refused(context, 422, tooMany);
      }
      const { requestId: given, actor, at } = askedBy(context, deps, kind);
      const requestId = commandId(given);
      const request = { ...asked.command, requestId, actor, reason: asked.reason, at };
      const taken = await oneAtATime(id, () => addRequest(schedules, id, request));
      return context.json({ id, requestId: taken, ...(kind === 'trigger' ? { key: commandKey(taken) } : {}) }, 202);
    });
  }
  return routes;
};
