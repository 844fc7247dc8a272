/** `POST /query` and `GET /health` as callers of the reference know them (contract §8.3). */
import { Hono, type Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { isObject, type JsonObject } from '../domain/json.ts';
import { withDoubles } from '../domain/json-shape.ts';
import type { Query, QueryFailure } from '../domain/query.ts';
import { answerUnread } from './answer-unread.ts';
import { callerCancellation } from './caller-cancellation.ts';
import { readQueryBody } from './query-body.ts';
import { envelope } from './query-envelope.ts';
import { retryAfter, toQueryFailure } from './query-errors.ts';
import type { QueryApiDeps, QueryLimits } from './query-routes.ts';
import { SANDBOX } from './send-body.ts';

const shape = z.object({
  bot_id: z.string().optional(),
  query_path: z.string().optional(),
  params: z.custom<JsonObject>(isObject, 'must be an object').nullish(),
  timeout_sec: z.preprocess(withDoubles, z.int().nullish()),
});

/** Everything that is no answer is 500 there; what the reference did not have says what it is. */
const STATUS: Partial<Record<QueryFailure['code'], ContentfulStatusCode>> = {
  BOT_NOT_FOUND: 404,
  QUERY_UNSUPPORTED: 404,
  QUERY_BODY_TOO_LARGE: 413,
  QUERY_OVERLOADED: 429,
  QUERY_ENDING: 503,
};

const queryOf = ({ bot_id, query_path, params, timeout_sec }: z.infer<typeof shape>, limits: QueryLimits): Query => {
  const given = query_path ?? '';
  const text = given.startsWith('/') ? given : `/${given}`;
  const cut = text.indexOf('?');
  // Parameters in the path reach handlers of running bots there; here they reach all.
  const inPath = cut < 0 ? {} : Object.fromEntries([...new URLSearchParams(text.slice(cut + 1))].reverse());
  const asked = (timeout_sec ?? 0) > 0 ? (timeout_sec ?? 0) * 1_000 : limits.timeoutMs;
  return {
    botId: bot_id ?? '',
    path: cut < 0 ? text : text.slice(0, cut),
    params: { ...inPath, ...(params ?? {}) },
    timeoutMs: Math.min(asked, limits.maxTimeoutMs),
    patient: true,
  };
};

export const queryContract = ({ queries, limits }: QueryApiDeps): Hono => {
  const routes = new Hono();
  const refused = (
    context: Context,
    status: ContentfulStatusCode,
    error: string,
    since = performance.now(),
  ): Response => context.json({ status: 'error', error, ...envelope(since) }, status, SANDBOX);

  routes.all('/health', (context) => context.json({ status: 'ok' }));
  routes.post('/query', async (context) => {
    const since = performance.now();
    const body = await readQueryBody(context, limits.maxBodyBytes);
    if (body.kind === 'tooLarge') {
      const error = `the body of a query must not be larger than ${String(limits.maxBodyBytes)} bytes`;
      return answerUnread(context, 413, { status: 'error', error, ...envelope(since) });
    }
    const parsed = body.kind === 'value' ? shape.safeParse(body.value) : undefined;
    if (parsed?.success !== true) {
      const why = body.kind === 'malformed' ? body.why : (parsed?.error.issues[0]?.message ?? 'the body is empty');
      return refused(context, 400, `invalid request body: ${why}`, since);
    }
    const { bot_id = '', query_path = '' } = parsed.data;
    if (bot_id === '') return refused(context, 400, 'bot_id is required', since);
    if (query_path === '') return refused(context, 400, 'query_path is required', since);
    if (query_path.includes('\0')) return refused(context, 400, 'query_path must not contain NUL', since);
    try {
      const answer = await queries.ask(queryOf(parsed.data, limits), callerCancellation(context));
      const sent = envelope.answer(context, answer, since);
      return sent instanceof Promise ? await sent : sent;
    } catch (thrown) {
      const failure = toQueryFailure(thrown);
      const status = STATUS[failure.code] ?? 500;
      const after = retryAfter(failure, status);
      if (after !== undefined) context.header('retry-after', String(after));
      const error = failure.code === 'INTERNAL' ? 'something went wrong inside drover' : failure.message;
      return refused(context, status, error, since);
    }
  });
  routes.all('/query', (context) => {
    context.header('allow', 'POST');
    return refused(context, 405, 'method not allowed');
  });
  return routes;
};
