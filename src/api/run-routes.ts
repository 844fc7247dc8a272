/** Runs of schedules as they were and are, and those to come (features D12, D14). */
import { Hono, type Context } from 'hono';
import { DroverError } from '../domain/errors.ts';
import type { ApiDeps } from './deps.ts';
import { instantIn, wholeIn } from './query-values.ts';

const DAY_MS = 86_400_000;
const MOST = 10_000;
/**
 * Slots are computed by the process that keeps the fleet, at some milliseconds per zone and ten years: a range has to be one
 * that somebody reads.
 */
const LONGEST_MS = { fleet: 366 * DAY_MS, one: 50 * 366 * DAY_MS } as const;
const WORDS = { fleet: 'a year', one: '50 years' } as const;
/** Of one: as far as its dates may lie apart, and there are no more of them than `limit`. */
const USUAL_MS = { fleet: DAY_MS, one: LONGEST_MS.one } as const;

/** Both ends, epoch ms. @throws DroverError REQUEST_INVALID */
const rangeIn = (
  context: Context,
  of: 'fleet' | 'one',
  now: number,
): { readonly from: number; readonly to: number } => {
  const from = instantIn(context, 'from') ?? now;
  const to = instantIn(context, 'to') ?? from + USUAL_MS[of];
  if (from > to) throw new DroverError('REQUEST_INVALID', '`from` is later than `to`');
  if (to - from <= LONGEST_MS[of]) return { from, to };
  throw new DroverError('REQUEST_INVALID', `the range from \`from\` to \`to\` must not be longer than ${WORDS[of]}`);
};

export const runRoutes = (deps: ApiDeps): Hono => {
  const { schedules, scheduleReaders, clock } = deps;
  const { view, history, preview } = scheduleReaders;
  const routes = new Hono();
  const mustBeKnown = async (id: string): Promise<void> => {
    if (view.get(id) !== undefined || (await schedules.read(id)) !== undefined) return;
    throw new DroverError('BOT_NOT_FOUND', `there is no schedule ${JSON.stringify(id)}`);
  };

  routes.get('/preview', async (context) => {
    const range = rangeIn(context, 'fleet', clock.now());
    return context.json(await preview.read({ ...range, limit: wholeIn(context, 'limit', 1_000, MOST) }));
  });

  routes.get('/:id/preview', async (context) => {
    const id = context.req.param('id');
    await mustBeKnown(id);
    const range = rangeIn(context, 'one', clock.now());
    return context.json(await preview.read({ ...range, id, limit: wholeIn(context, 'limit', 10, MOST) }));
  });

  routes.get('/:id/runs', async (context) => {
    const id = context.req.param('id');
    await mustBeKnown(id);
    const limit = wholeIn(context, 'limit', 100, MOST);
    const before =
      context.req.query('before') === undefined ? undefined : wholeIn(context, 'before', 0, Number.MAX_SAFE_INTEGER);
    const all = context.req.query('all') === 'true';
    return context.json(await history.list(id, { limit, all, ...(before === undefined ? {} : { before }) }));
  });

  routes.get('/:id/runs/:key', async (context) => {
    const { id, key } = context.req.param();
    const run = await history.get(id, key);
    if (run !== undefined) return context.json(run);
    throw new DroverError('BOT_NOT_FOUND', `schedule ${JSON.stringify(id)} has no run ${JSON.stringify(key)}`);
  });
  return routes;
};
