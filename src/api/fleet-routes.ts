/** What concerns the whole fleet: metrics, the log of transitions, drain, the guard, uploads of code. */
import { Hono } from 'hono';
import { stream } from 'hono/streaming';
import { DroverError } from '../domain/errors.ts';
import { askedBy } from './asked.ts';
import { codeUpload } from './code-upload.ts';
import type { ApiDeps } from './deps.ts';

const KEEP_ALIVE_MS = 15_000;

export const fleetRoutes = (deps: ApiDeps): Hono => {
  const { specs, archives, fleet, transitions, guard } = deps;
  const routes = new Hono();

  routes.get('/metrics', (context) =>
    context.json({
      ...fleet.metrics(),
      schedules: deps.scheduleReaders.view.metrics(),
      ...(deps.queries === undefined ? {} : { queries: deps.queries.queries.metrics() }),
    }),
  );

  /** Nothing is known of this name: no document, no state, no line in the log. */
  const isUnknown = async (id: string): Promise<boolean> => {
    if (fleet.get(id) !== undefined || deps.scheduleReaders.view.get(id) !== undefined) return false;
    if ((await specs.read(id)) !== undefined || (await deps.schedules.read(id)) !== undefined) return false;
    const reading = new AbortController();
    for await (const _line of transitions.read({ after: 0, follow: false, botId: id, signal: reading.signal })) {
      reading.abort();
      return false;
    }
    return true;
  };

  routes.get('/transitions', async (context) => {
    const after = context.req.query('after') ?? '0';
    if (!/^\d{1,15}$/.test(after)) throw new DroverError('REQUEST_INVALID', '`after` must be a position');
    const botId = context.req.query('bot');
    if (botId !== undefined && (await isUnknown(botId))) {
      throw new DroverError('BOT_NOT_FOUND', `there is no bot ${JSON.stringify(botId)}`);
    }
    const follow = context.req.query('follow') === 'true';
    context.header('content-type', 'application/x-ndjson');
    return stream(context, async (out) => {
      const ended = new AbortController();
      out.onAbort(() => {
        ended.abort();
      });
      // An empty line now and then tells both sides that the other is there.
      const alive = setInterval(() => void out.write('\n'), KEEP_ALIVE_MS);
      try {
        const options = {
          after: Number(after),
          follow,
          signal: ended.signal,
          ...(botId === undefined ? {} : { botId }),
        };
        for await (const transition of transitions.read(options)) await out.write(`${JSON.stringify(transition)}\n`);
      } finally {
        clearInterval(alive);
      }
    });
  });

  routes.post('/drain', async (context) => {
    const body: unknown = await context.req.json().catch(() => ({}));
    const reason = (body as { reason?: unknown } | null)?.reason;
    await specs.setDrain({
      ...askedBy(context, deps, 'drain'),
      reason: typeof reason === 'string' ? reason.slice(0, 500) : '',
    });
    return context.json({ draining: true }, 202);
  });
  routes.delete('/drain', async (context) => {
    await specs.setDrain(undefined);
    return context.json({ draining: false }, 202);
  });

  routes.get('/guard', (context) => context.json({ suspicion: guard.suspicion() ?? null }));
  routes.post('/confirm-removal', async (context) =>
    context.json({ confirmed: await guard.confirm(askedBy(context, deps, 'confirm-removal')) }, 202),
  );

  routes.put('/archives/*', codeUpload(archives));
  return routes;
};
