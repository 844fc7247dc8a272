/** Bots: what is wished of them and how they are. */
import { Hono } from 'hono';
import { DroverError } from '../domain/errors.ts';
import { canonicalJson, isObject } from '../domain/json.ts';
import { botIdFault } from '../domain/naming.ts';
import { decodeBotDocument } from '../documents/bot-document.ts';
import { addRequest } from './add-request.ts';
import { askedBy } from './asked.ts';
import { showBot, showListed } from './bot-view.ts';
import type { ApiDeps } from './deps.ts';
import { refused } from './errors.ts';
import type { OneAtATime } from './one-at-a-time.ts';
import { answerExactly, readDocument, refusalOf } from './read-document.ts';
import { botAsKnown } from './unknown-view.ts';
import { withEnabled } from './with-enabled.ts';

type Document = Record<string, unknown>;
export const botRoutes = (deps: ApiDeps, oneAtATime: OneAtATime): Hono => {
  const { specs, schedules, scheduleReaders, fleet, defaults } = deps;
  const routes = new Hono();
  /** Whoever takes a schedule for a bot is told where it is shown. */
  const notFound = async (id: string): Promise<DroverError> => {
    const there = `there is no bot ${JSON.stringify(id)}`;
    const isSchedule = scheduleReaders.view.get(id) !== undefined || isObject((await schedules.read(id))?.document);
    const hint = `${there}; a scheduled bot has this id: \`drover schedules ${id}\` shows it`;
    return new DroverError('BOT_NOT_FOUND', isSchedule ? hint : there);
  };
  const documentOf = async (id: string): Promise<Document> => {
    const record = await specs.read(id);
    if (!isObject(record?.document)) throw await notFound(id);
    return record.document;
  };

  routes.get('/', async (context) => {
    const { records } = await specs.readFleet();
    return context.json(showListed(records, fleet, defaults).map((bot) => botAsKnown(bot, deps.troubleOf)));
  });

  routes.get('/:id', async (context) => {
    const id = context.req.param('id');
    const secrets = context.req.query('secrets') === 'true';
    const shown = showBot(id, await specs.read(id), fleet.get(id), defaults, secrets);
    if (shown === undefined) throw await notFound(id);
    return answerExactly(context, botAsKnown(shown, deps.troubleOf));
  });

  routes.put('/:id', async (context) => {
    const id = context.req.param('id');
    const body = await readDocument(context);
    if (body instanceof Response) return body;
    const { document } = body;
    const decoded = decodeBotDocument(id, document, defaults);
    const refusal = refusalOf(context, document, decoded);
    if (refusal !== undefined) return refusal;
    return oneAtATime(id, async () => {
      const schedule = await schedules.read(id);
      if (schedule !== undefined && schedule.document !== null) {
        return refused(
          context,
          409,
          'a schedule has this id: a bot and a schedule cannot share one id, because they would share their state',
        );
      }
      const before = await specs.read(id);
      if (before !== undefined && canonicalJson(before.document) === canonicalJson(document)) {
        return context.json({ id, changed: false, revision: before.revision });
      }
      const { revision } = await specs.put(id, document, askedBy(context, deps, 'apply'));
      const created = before === undefined || before.document === null;
      return context.json({ id, changed: true, revision }, created ? 201 : 200);
    });
  });

  routes.delete('/:id', async (context) => {
    const id = context.req.param('id');
    const known = (await specs.read(id))?.document ?? null;
    if (known === null) throw await notFound(id);
    await specs.remove(id, askedBy(context, deps, 'delete'));
    return context.json({ id, deleting: true }, 202);
  });

  for (const action of ['enable', 'disable'] as const) {
    routes.post(`/:id/${action}`, async (context) => {
      const id = context.req.param('id');
      await oneAtATime(id, async () => {
        const document = withEnabled(await documentOf(id), action === 'enable');
        await specs.put(id, document, askedBy(context, deps, action));
      });
      return context.json({ id, enabled: action === 'enable' }, 202);
    });
  }

  for (const kind of ['restart', 'reset'] as const) {
    routes.post(`/:id/${kind}`, async (context) => {
      const id = context.req.param('id');
      if (botIdFault(id) !== undefined) throw new DroverError('BOT_NOT_FOUND', 'there is no such bot');
      await documentOf(id);
      if (kind === 'restart' && fleet.get(id)?.state === 'failed.exhausted') {
        return refused(context, 409, 'drover gave up on this bot: use reset instead');
      }
      const body: unknown = await context.req.json().catch(() => ({}));
      const given = isObject(body) && typeof body['reason'] === 'string' ? body['reason'].slice(0, 500) : '';
      const { requestId, actor, at } = askedBy(context, deps, kind);
      const request = { requestId, kind, actor, reason: given, at };
      // One after another: else all of many at once find that few wait.
      const taken = await oneAtATime(id, () => addRequest(specs, id, request));
      return context.json({ id, requestId: taken }, 202);
    });
  }
  return routes;
};
