/** Schedules: what is wished of them and how they are. Runs and commands have files of their own. */
import { Hono } from 'hono';
import { DroverError } from '../domain/errors.ts';
import { noticesOf } from '../domain/cron/remarks.ts';
import { canonicalJson, isObject } from '../domain/json.ts';
import { decodeScheduleDocument } from '../documents/schedule-document.ts';
import { askedBy } from './asked.ts';
import type { ApiDeps } from './deps.ts';
import { refused } from './errors.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { answerExactly, readDocument, refusalOf } from './read-document.ts';
import { beatOf, listSchedules, meaningOf, nextTimes, showSchedule } from './schedule-view.ts';
import { scheduleAsKnown } from './unknown-view.ts';
import { withEnabled } from './with-enabled.ts';

/** A word of the API itself. */
const RESERVED = 'preview';

const notFound = (id: string): DroverError =>
  new DroverError('BOT_NOT_FOUND', `there is no schedule ${JSON.stringify(id)}`);

export const scheduleRoutes = (deps: ApiDeps, oneAtATime: OneAtATime): Hono => {
  const { specs, schedules, scheduleReaders: readers, defaults } = deps;
  const routes = new Hono();

  routes.get('/', async (context) => {
    const { records } = await schedules.readFleet();
    const shown = listSchedules(records, readers, defaults);
    return context.json(shown.map((schedule) => scheduleAsKnown(schedule, deps.troubleOf)));
  });

  routes.get('/:id', async (context) => {
    const id = context.req.param('id');
    const secrets = context.req.query('secrets') === 'true';
    const record = await schedules.read(id);
    const shown = await showSchedule({ id, record, readers, defaults, secrets, now: deps.clock.now() });
    if (shown === undefined) throw notFound(id);
    return answerExactly(context, scheduleAsKnown(shown, deps.troubleOf));
  });

  routes.put('/:id', async (context) => {
    const id = context.req.param('id');
    const body = await readDocument(context);
    if (body instanceof Response) return body;
    const { document } = body;
    if (id === RESERVED)
      return refused(context, 422, `\`${RESERVED}\` cannot be an id, because the API reserves this name`);
    const decoded = decodeScheduleDocument(id, document, defaults);
    const refusal = refusalOf(context, document, decoded);
    if (decoded.kind === 'invalid' || refusal !== undefined) return refusal;
    return oneAtATime(id, async () => {
      const bot = await specs.read(id);
      if (bot !== undefined && bot.document !== null) {
        return refused(
          context,
          409,
          'a realtime bot has this id: a bot and a schedule cannot share one id, because they would share their state',
        );
      }
      const before = await schedules.read(id);
      const unchanged = before !== undefined && canonicalJson(before.document) === canonicalJson(document);
      const record = unchanged ? before : await schedules.put(id, document, askedBy(context, deps, 'apply'));
      const created = before === undefined || before.document === null;
      const { cron } = decoded.spec;
      const isNew =
        readers.view.get(id) === undefined ||
        (cron.kind === 'every' && beatOf(id, before?.document, defaults) !== cron.everyMs);
      const meaning = meaningOf(decoded.spec);
      const next = await nextTimes(readers, decoded.spec, deps.clock.now(), isNew);
      const notices = noticesOf(cron.text);
      const answer = { id, changed: !unchanged, revision: record.revision, meaning, next, notices };
      return context.json(answer, created ? 201 : 200);
    });
  });

  routes.delete('/:id', async (context) => {
    const id = context.req.param('id');
    if (((await schedules.read(id))?.document ?? null) === null) throw notFound(id);
    await schedules.remove(id, askedBy(context, deps, 'delete'));
    return context.json({ id, deleting: true }, 202);
  });

  for (const action of ['enable', 'disable'] as const) {
    routes.post(`/:id/${action}`, async (context) => {
      const id = context.req.param('id');
      await oneAtATime(id, async () => {
        const document = (await schedules.read(id))?.document;
        if (!isObject(document)) throw notFound(id);
        await schedules.put(id, withEnabled(document, action === 'enable'), askedBy(context, deps, action));
      });
      return context.json({ id, enabled: action === 'enable' }, 202);
    });
  }
  return routes;
};
