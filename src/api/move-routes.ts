/** For the move from the predecessor, and for messages that nobody understood. */
import { Hono } from 'hono';
import { DroverError } from '../domain/errors.ts';
import type { ApiDeps } from './deps.ts';

const MAX_LETTERS = 1_000;

export const moveRoutes = ({ deadLetters, takeover }: ApiDeps): Hono => {
  const routes = new Hono();
  routes.get('/dead-letters', async (context) => {
    const limit = context.req.query('limit') ?? '100';
    if (!/^\d{1,4}$/.test(limit) || Number(limit) === 0 || Number(limit) > MAX_LETTERS) {
      throw new DroverError('REQUEST_INVALID', `\`limit\` must be a number from 1 to ${String(MAX_LETTERS)}`);
    }
    return context.json(await deadLetters.list(Number(limit)));
  });
  routes.get('/takeover', async (context) => context.json(await takeover.look()));
  routes.post('/takeover/:id', async (context) => {
    const botId = context.req.param('id');
    return context.json({ botId, stopped: await takeover.take(botId) });
  });
  return routes;
};
