/** Who may speak to the API: bearers of the token, or, without one, callers who mean this very machine. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { DroverError } from '../domain/errors.ts';
import { answerError, refused } from './errors.ts';

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?$/;
const HEALTH: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/health']);
/** Undefined for `null`, the origin of pages without one. */
const hostOf = (origin: string): string | undefined => (URL.canParse(origin) ? new URL(origin).host : undefined);
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Images and links of pages bring no origin, but every browser says where they stand; a page at another port is no page of ours. */
const ELSEWHERE: ReadonlySet<string | undefined> = new Set(['cross-site', 'same-site']);

/** Health is free: those who ask for it have no secrets. A browser's page elsewhere is never a caller of ours. */
export const gate =
  (token: string | undefined, { open = false }: { readonly open?: boolean } = {}): MiddlewareHandler =>
  async (context, next) => {
    const { req } = context;
    if (HEALTH.has(req.path)) return next();
    const origin = req.header('origin');
    const isForeign = origin !== undefined && hostOf(origin) !== req.header('host');
    if (isForeign || ELSEWHERE.has(req.header('sec-fetch-site'))) {
      return refused(context, 403, 'requests from other origins are not allowed');
    }
    // Whoever reaches this port may ask: the operator said so.
    if (open) return next();
    if (token === undefined) {
      // A name that merely resolves to us (DNS rebinding) is not loopback.
      const host = req.header('host') ?? new URL(req.url).host;
      return LOOPBACK.test(host)
        ? next()
        : refused(context, 403, 'without API_TOKEN only requests to a loopback name are allowed');
    }
    const given = /^Bearer (.+)$/.exec(req.header('authorization') ?? '')?.[1] ?? '';
    return timingSafeEqual(digest(given), digest(token))
      ? next()
      : answerError(context, new DroverError('UNAUTHORIZED', 'the bearer token is missing or wrong'));
  };
