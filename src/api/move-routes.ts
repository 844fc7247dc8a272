/** For the move from the predecessor, and for messages that nobody understood. */
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { DroverError } from '../domain/errors.ts';
import { isObject } from '../domain/json.ts';
import type { ApiDeps } from './deps.ts';
import { refused } from './errors.ts';

const MAX_LETTERS = 1_000;
const MAX_BODY = 64 * 1_024;

export const moveRoutes = ({ deadLetters, takeover }: ApiDeps): Hono => {
  const routes = new Hono();
  const small = bodyLimit({
    maxSize: MAX_BODY,
    onError: (context) => refused(context, 413, 'the body must not be larger than 64 KiB'),
  });
  routes.get('/dead-letters', async (context) => {
    const limit = context.req.query('limit') ?? '100';
    if (!/^\d{1,4}$/.test(limit) || Number(limit) === 0 || Number(limit) > MAX_LETTERS) {
      throw new DroverError('REQUEST_INVALID', `\`limit\` must be a number from 1 to ${String(MAX_LETTERS)}`);
    }
    return context.json(await deadLetters.list(Number(limit)));
  });
  routes.get('/takeover', async (context) => context.json(await takeover.look()));
  routes.post('/takeover/:id', small, async (context) => {
    const botId = context.req.param('id');
    const body: unknown = await context.req.json().catch(() => ({}));
    const install = isObject(body) && typeof body['install'] === 'string' ? body['install'] : undefined;
    return context.json({ botId, stopped: await takeover.take(botId, install) });
  });
  return routes;
};
