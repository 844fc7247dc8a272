/** Earlier states of a bot: what there is, and which one the next start shall have. */
import { Hono } from 'hono';
import { isObject } from '../domain/json.ts';
import { parseSnapshot, snapshotText } from '../domain/sync-report.ts';
import { askedBy } from './asked.ts';
import type { ApiDeps } from './deps.ts';
import { refused } from './errors.ts';

export const stateRoutes = (deps: ApiDeps): Hono => {
  const routes = new Hono();

  routes.get('/:id/state', async (context) => context.json(await deps.stateSnapshots.list(context.req.param('id'))));

  routes.post('/:id/state/restore', async (context) => {
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
