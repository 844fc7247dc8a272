/** What answers before the stores do: alive, not ready, and why. Afterwards it hands everything on. */
import { Hono } from 'hono';
import { DroverError } from '../domain/errors.ts';
import { refusalBody } from './refusal-body.ts';

export interface FrontDoor {
  readonly fetch: Hono['fetch'];
  /** What the process waits for, for `/readyz` and for every caller. */
  waitFor(name: string, detail: string): void;
  /** From now on this app answers. */
  open(app: Hono): void;
}

export const createFrontDoor = (): FrontDoor => {
  const waiting = new Hono();
  let inner: Hono | undefined;
  let dependency = { name: 'controller', ok: false, detail: 'starting' };
  for (const path of ['/healthz', '/livez']) waiting.get(path, (context) => context.text('ok'));
  // As callers of the query server know it (contract §8.3).
  waiting.all('/health', (context) => context.json({ status: 'ok' }));
  waiting.get('/readyz', (context) =>
    context.req.query('verbose') === undefined
      ? context.text('not ready', 503)
      : context.json({ ready: false, dependencies: [dependency] }, 503),
  );
  waiting.all('*', (context) => {
    const error = new DroverError('STORE_UNAVAILABLE', `${dependency.name}: ${dependency.detail}`);
    return context.json(refusalBody(context.req.path, error), 503, { 'retry-after': '1' });
  });
  return {
    fetch: (request, ...more) => (inner ?? waiting).fetch(request, ...more),
    waitFor: (name, detail) => {
      dependency = { name, ok: false, detail };
    },
    open: (app) => {
      inner = app;
    },
  };
};
