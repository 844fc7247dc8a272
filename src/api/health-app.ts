/** Health of a service that has no API: `/healthz` while it lives, `/readyz` while it can do its work (contract §9.3). */
import { Hono } from 'hono';

export interface Health {
  readonly ready: boolean;
  /** Why not, or what it last did; shown with `?verbose`. */
  readonly detail: string;
}

export const createHealthApp = (health: () => Health): Hono => {
  const app = new Hono();
  for (const path of ['/healthz', '/livez']) app.get(path, (context) => context.text('ok'));
  app.get('/readyz', (context) => {
    const now = health();
    const status = now.ready ? 200 : 503;
    if (context.req.query('verbose') !== undefined) return context.json(now, status);
    return context.text(now.ready ? 'ok' : 'not ready', status);
  });
  return app;
};
