/** `/healthz` while the process lives, `/readyz` while it can do its work (feature H6). */
import { Hono } from 'hono';
import type { Readiness } from '../ports/fleet-view.ts';

export const healthRoutes = (readiness: () => Promise<readonly Readiness[]>): Hono => {
  const routes = new Hono();
  for (const path of ['/healthz', '/livez']) routes.get(path, (context) => context.text('ok'));
  routes.get('/readyz', async (context) => {
    const dependencies = await readiness();
    const ready = dependencies.every(({ ok, optional }) => ok || optional === true);
    if (context.req.query('verbose') !== undefined) return context.json({ ready, dependencies }, ready ? 200 : 503);
    return context.text(ready ? 'ok' : 'not ready', ready ? 200 : 503);
  });
  return routes;
};
