/** Queries as REST: `GET|POST /v1/bots/:id/query/*path`, with honest statuses and the bot's own words. */
import { Hono, type Context } from 'hono';
import type { JsonObject } from '../domain/json.ts';
import { botIdFault } from '../domain/naming.ts';
import { QueryFailure, type AsOf, type Query, type QueryAnswer } from '../domain/query.ts';
import { parseSnapshot } from '../domain/sync-report.ts';
import type { QueryHandler } from '../ports/query-handler.ts';
import { answerUnread } from './answer-unread.ts';
import { callerCancellation } from './caller-cancellation.ts';
import { hasNoBody, isParams, readQueryBody } from './query-body.ts';
import { answerQueryFailure, failureBody, malformed, refuseQuery } from './query-errors.ts';
import { queryTarget, type QueryTarget } from './query-target.ts';
import { parseInstant } from './query-values.ts';
import { discardBody, headerFault, SANDBOX, sendBody } from './send-body.ts';

export interface QueryLimits {
  readonly timeoutMs: number;
  readonly maxTimeoutMs: number;
  readonly maxBodyBytes: number;
}

export interface QueryApiDeps {
  readonly queries: QueryHandler;
  readonly limits: QueryLimits;
}

type Target = Extract<QueryTarget, { readonly kind: 'target' }>;

/** Most ids; no other question about them is needed. */
const PLAIN_ID = /^[A-Za-z0-9-]{1,128}$/;
const NO_BODY = { kind: 'none' } as const;
/** Ours among the parameters of the URL; a bot's own of these names go in the body. */
const AS_OF = 'asOf';
const TIMEOUT = 'timeout_sec';

const asOfIn = (text: string | undefined): { readonly asOf?: AsOf } => {
  if (text === undefined) return {};
  const snapshot = parseSnapshot(text);
  if (snapshot !== undefined) return { asOf: { kind: 'snapshot', snapshot } };
  let at: number;
  try {
    at = parseInstant(AS_OF, text);
  } catch {
    return refuseQuery(
      '`asOf` must be a snapshot such as a3/s7, or an instant with its zone such as 2026-01-31T09:00:00Z',
    );
  }
  // What the newest state will be by then nobody knows, and an answer from today's would be kept as one.
  return at > Date.now() ? refuseQuery('`asOf` must not be in the future') : { asOf: { kind: 'time', at } };
};

const timeoutIn = (text: string | undefined, { timeoutMs, maxTimeoutMs }: QueryLimits): number => {
  if (text === undefined) return timeoutMs;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : NaN;
  if (ms >= 1 && ms <= maxTimeoutMs) return ms;
  return refuseQuery(`\`timeout_sec\` must be a number of seconds up to ${String(maxTimeoutMs / 1_000)}`);
};

/** SDKs take the first of several values. */
const paramsIn = (given: URLSearchParams): JsonObject =>
  Object.fromEntries([...given].reverse().filter(([name]) => name !== AS_OF && name !== TIMEOUT));

const toResponse = (context: Context, { body, bytes, contentType, ...answer }: QueryAnswer): Response => {
  const { status, way, state, botState } = answer;
  const fault = headerFault('content type', contentType) ?? (state && headerFault('state', state));
  if (fault !== undefined) {
    discardBody(body);
    throw new QueryFailure('QUERY_REPLY_INVALID', fault, { botState });
  }
  const headers: Record<string, string> = {
    'content-type': contentType,
    'cache-control': 'no-store',
    ...SANDBOX,
    'x-drover-query-way': way,
    'x-drover-bot-state': botState,
    ...(bytes === undefined ? {} : { 'content-length': String(bytes) }),
    ...(state === undefined ? {} : { 'x-drover-query-state': state }),
  };
  return sendBody(context, status, headers, body);
};

const refuseMethod = (context: Context): Response => {
  const message = `${context.req.method} is not allowed here: send a query with GET or POST`;
  context.header('allow', 'GET, POST');
  return context.json(failureBody(new QueryFailure('REQUEST_INVALID', message)), 405);
};

export const queryRoutes = ({ queries, limits }: QueryApiDeps): Hono => {
  const routes = new Hono();
  const queryIn = ({ botId, path, search }: Target, body: JsonObject): Query => {
    if (!PLAIN_ID.test(botId) && botIdFault(botId) !== undefined)
      throw new QueryFailure('BOT_NOT_FOUND', 'there is no such bot');
    if (search === '') return { botId, path, params: body, timeoutMs: limits.timeoutMs, patient: false };
    const given = new URLSearchParams(search);
    return {
      botId,
      path,
      params: { ...paramsIn(given), ...body },
      timeoutMs: timeoutIn(given.get(TIMEOUT) ?? undefined, limits),
      ...asOfIn(given.get(AS_OF) ?? undefined),
      patient: false,
    };
  };
  const ask = async (context: Context, target: Target, body: JsonObject): Promise<Response> =>
    toResponse(context, await queries.ask(queryIn(target, body), callerCancellation(context)));

  const take = async (context: Context): Promise<Response> => {
    // The framework takes it for a GET, and a query is not run for its headers.
    if (context.req.method === 'HEAD') return refuseMethod(context);
    const target = queryTarget(context.req.url);
    if (target.kind === 'malformed') return malformed(context, target.why);
    const isBare = context.req.method === 'GET' || hasNoBody(context);
    const body = isBare ? NO_BODY : await readQueryBody(context, limits.maxBodyBytes);
    switch (body.kind) {
      case 'tooLarge': {
        const message = `the body of a query must not be larger than ${String(limits.maxBodyBytes)} bytes`;
        return answerUnread(context, 413, failureBody(new QueryFailure('QUERY_BODY_TOO_LARGE', message)));
      }
      case 'malformed':
        return malformed(context, body.why);
      case 'none':
        return ask(context, target, {});
      case 'value':
        if (!isParams(body.value)) return refuseQuery('the body must be an object whose fields are the parameters');
        return ask(context, target, body.value);
    }
  };
  // Caught here: an error of a query has its own form, whichever app it was asked of.
  routes.on(['GET', 'POST'], '/:id/query/*', async (context) => {
    try {
      return await take(context);
    } catch (thrown) {
      return answerQueryFailure(context, thrown);
    }
  });
  routes.all('/:id/query/*', refuseMethod);
  return routes;
};
