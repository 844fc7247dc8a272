/** Earlier states of a bot: what there is, and which one the next start shall have. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { isObject } from '../domain/json.ts';
import { parseSnapshot, snapshotText } from '../domain/sync-report.ts';
import { askedBy } from './asked.ts';
import type { ApiDeps } from './deps.ts';
import { refused } from './errors.ts';

const MAX_BODY = 64 * 1024;

export const stateRoutes = (deps: ApiDeps): Hono => {
  const routes = new Hono();
  const small = bodyLimit({
    maxSize: MAX_BODY,
    onError: (context) => refused(context, 413, 'the body must not be larger than 64 KiB'),
  });

  routes.get('/:id/state', async (context) => context.json(await deps.stateSnapshots.list(context.req.param('id'))));

  routes.post('/:id/state/restore', small, async (context) => {
    const id = context.req.param('id');
    const body: unknown = await context.req.json().catch(() => ({}));
    const snapshot =
      isObject(body) && typeof body['snapshot'] === 'string' ? parseSnapshot(body['snapshot']) : undefined;
    if (snapshot === undefined)
      return refused(context, 422, '`snapshot` must name a snapshot from the list, such as a3/s7');
    const asked = askedBy(context, deps, 'restore');
    await deps.stateSnapshots.choose(id, snapshot, asked);
    return context.json({ id, requestId: asked.requestId, snapshot: snapshotText(snapshot) }, 202);
  });
  return routes;
};
