/** The HTTP API as a Hono app, without listening: tests call `app.request()`. */
import { Hono } from 'hono';
import { bodyLimits } from './body-limits.ts';
import type { ApiDeps } from './deps.ts';
import { botRoutes } from './bot-routes.ts';
import { answerError, answerThrown, refused } from './errors.ts';
import { fleetRoutes } from './fleet-routes.ts';
import { DroverError } from '../domain/errors.ts';
import { gate } from './gate.ts';
import { healthRoutes } from './health-routes.ts';
import { moveRoutes } from './move-routes.ts';
import { createOneAtATime } from './one-at-a-time.ts';
import { orphanRoutes } from './orphan-routes.ts';
import { queryRoutes } from './query-routes.ts';
import { runRoutes } from './run-routes.ts';
import { scheduleCommands } from './schedule-commands.ts';
import { scheduleRoutes } from './schedule-routes.ts';
import { stateRoutes } from './state-routes.ts';

const METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'] as const;

/** Handlers that every path has: the gate, and the limits. */
const BEFORE_ROUTES = 2;

export const createApp = (deps: ApiDeps): Hono => {
  const app = new Hono();
  const oneAtATime = createOneAtATime();
  app.use(gate(deps.token));
  app.use(bodyLimits);
  app.route('/', healthRoutes(deps.readiness));
  app.route('/v1/bots', botRoutes(deps, oneAtATime));
  app.route('/v1/bots', stateRoutes(deps));
  if (deps.queries !== undefined) app.route('/v1/bots', queryRoutes(deps.queries));
  // Before those with an id: `preview` is none.
  app.route('/v1/schedules', runRoutes(deps));
  app.route('/v1/schedules', scheduleRoutes(deps, oneAtATime));
  app.route('/v1/schedules', scheduleCommands(deps, oneAtATime));
  app.route('/v1/orphans', orphanRoutes(deps));
  app.route('/v1', fleetRoutes(deps));
  app.route('/v1', moveRoutes(deps));
  app.onError((thrown, context) => {
    // What cannot be decoded came from the caller.
    if (thrown instanceof URIError) return refused(context, 400, 'the path is not correctly percent-encoded');
    return answerThrown(context, thrown);
  });
  app.notFound((context) => {
    const { path, method } = context.req;
    const other = METHODS.some((name) => name !== method && app.router.match(name, path)[0].length > BEFORE_ROUTES);
    return other
      ? refused(context, 405, `${method} is not allowed here`)
      : answerError(context, new DroverError('REQUEST_INVALID', `there is nothing at ${path}`), { status: 404 });
  });
  return app;
};
