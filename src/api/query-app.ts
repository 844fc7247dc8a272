/** The QueryServer (port 9477) as a Hono app: the reference's form, ours beside it, and health. */
import { Hono } from 'hono';
import { answerQueryFailure, malformed } from './query-errors.ts';
import { gate } from './gate.ts';
import { healthRoutes } from './health-routes.ts';
import { queryContract } from './query-contract.ts';
import { queryRoutes, type QueryApiDeps } from './query-routes.ts';
import type { Readiness } from '../ports/fleet-view.ts';

export interface QueryAppDeps extends QueryApiDeps {
  readonly readiness: () => Promise<readonly Readiness[]>;
  readonly token: string | undefined;
  /** Callers of the reference bring no token: whoever reaches the port may ask. */
  readonly open: boolean;
}

export const createQueryApp = (deps: QueryAppDeps): Hono => {
  const app = new Hono();
  app.use(gate(deps.token, { open: deps.open }));
  app.route('/', healthRoutes(deps.readiness));
  app.route('/', queryContract(deps));
  app.route('/v1/bots', queryRoutes(deps));
  app.notFound((context) => {
    const error = { status: 'error', error: `there is nothing at ${context.req.path}`, code: 'REQUEST_INVALID' };
    return context.json({ ...error, botState: null, retryable: false }, 404);
  });
  app.onError((thrown, context) =>
    thrown instanceof URIError
      ? malformed(context, 'the path is not correctly percent-encoded')
      : answerQueryFailure(context, thrown),
  );
  return app;
};
