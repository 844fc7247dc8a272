/** Containers of this install that belong to no bot. */
import { Hono } from 'hono';
import type { ApiDeps } from './deps.ts';

export const orphanRoutes = ({ orphans }: Pick<ApiDeps, 'orphans'>): Hono => {
  const routes = new Hono();
  routes.get('/', (context) => context.json(orphans.list()));
  routes.post('/:id/stop', async (context) => {
    const id = context.req.param('id');
    return context.json({ id, stopped: await orphans.stop(id) });
  });
  return routes;
};
