/** Queries as REST: `GET|POST /v1/bots/:id/query/*path`, with honest statuses and the bot's own words (issue 6 point 2). */
import { Hono, type Context } from 'hono';
import type { JsonObject } from '../domain/json.ts';
import { botIdFault } from '../domain/naming.ts';
import { QueryFailure, type AsOf, type Query, type QueryAnswer } from '../domain/query.ts';
import { parseSnapshot } from '../domain/sync-report.ts';
import type { QueryHandler } from '../ports/query-handler.ts';
import { callerCancellation } from './caller-cancellation.ts';
import { hasNoBody, isParams, readQueryBody } from './query-body.ts';
import { answerQueryFailure, malformed, refuseQuery } from './query-errors.ts';
import { parseInstant } from './query-values.ts';
import { sendBody } from './send-body.ts';

export interface QueryLimits {
  readonly timeoutMs: number;
  readonly maxTimeoutMs: number;
  readonly maxBodyBytes: number;
}

export interface QueryApiDeps {
  readonly queries: QueryHandler;
  readonly limits: QueryLimits;
}

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
  return at > Date.now() ? refuseQuery('`asOf` must not lie in the future') : { asOf: { kind: 'time', at } };
};

const timeoutIn = (text: string | undefined, { timeoutMs, maxTimeoutMs }: QueryLimits): number => {
  if (text === undefined) return timeoutMs;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : NaN;
  if (ms >= 1 && ms <= maxTimeoutMs) return ms;
  return refuseQuery(`\`timeout_sec\` must be a number of seconds up to ${String(maxTimeoutMs / 1_000)}`);
};

/** What stands behind `/query` in the path, as the handler is registered. */
const pathIn = (pathname: string): string => {
  const [, , , , , ...rest] = pathname.split('/');
  return `/${rest.map((part) => decodeURIComponent(part)).join('/')}`;
};

/** SDKs take the first of several values. */
const paramsIn = ({ search, searchParams }: URL): JsonObject => {
  if (search === '') return {};
  const pairs = [...searchParams].reverse().filter(([name]) => name !== AS_OF && name !== TIMEOUT);
  return Object.fromEntries(pairs);
};

const toResponse = (context: Context, { body, bytes, contentType, ...answer }: QueryAnswer): Response => {
  const { status, way, state, botState } = answer;
  const headers: Record<string, string> = {
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-drover-query-way': way,
    'x-drover-bot-state': botState,
    ...(bytes === undefined ? {} : { 'content-length': String(bytes) }),
    ...(state === undefined ? {} : { 'x-drover-query-state': state }),
  };
  return sendBody(context, status, headers, body);
};

export const queryRoutes = ({ queries, limits }: QueryApiDeps): Hono => {
  const routes = new Hono();
  const queryIn = (context: Context, body: JsonObject): Query => {
    const url = new URL(context.req.url);
    const botId = decodeURIComponent(url.pathname.split('/')[3] ?? '');
    if (!PLAIN_ID.test(botId) && botIdFault(botId) !== undefined)
      throw new QueryFailure('BOT_NOT_FOUND', 'there is no such bot');
    return {
      botId,
      path: pathIn(url.pathname),
      params: { ...paramsIn(url), ...body },
      timeoutMs: timeoutIn(url.searchParams.get(TIMEOUT) ?? undefined, limits),
      ...asOfIn(url.searchParams.get(AS_OF) ?? undefined),
      patient: false,
    };
  };
  const ask = async (context: Context, body: JsonObject): Promise<Response> =>
    toResponse(context, await queries.ask(queryIn(context, body), callerCancellation(context)));

  const take = async (context: Context): Promise<Response> => {
    const isBare = context.req.method === 'GET' || hasNoBody(context);
    const body = isBare ? NO_BODY : await readQueryBody(context, limits.maxBodyBytes);
    switch (body.kind) {
      case 'tooLarge':
        throw new QueryFailure('QUERY_BODY_TOO_LARGE', `a query has at most ${String(limits.maxBodyBytes)} bytes`);
      case 'malformed':
        return malformed(context, body.why);
      case 'none':
        return ask(context, {});
      case 'value':
        if (!isParams(body.value)) return refuseQuery('the body must be an object: the parameters by name');
        return ask(context, body.value);
    }
  };
  // Caught here: an error of a query has its own form, whichever app it was asked of.
  routes.on(['GET', 'POST'], '/:id/query/*', async (context) => {
    try {
      return await take(context);
    } catch (thrown) {
      if (thrown instanceof URIError) return malformed(context, 'the path is not well encoded');
      return answerQueryFailure(context, thrown);
    }
  });
  return routes;
};
