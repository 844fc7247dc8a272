/** Every route has a limit for its body, also those that read none: a new one gets it without asking for it. */
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { DroverError } from '../domain/errors.ts';
import { answerUnread } from './answer-unread.ts';

const KIB = 1024;
/** Reasons, names and instants. */
const USUAL_BYTES = 64 * KIB;
const DOCUMENT_BYTES = 2 * KIB * KIB;

interface Limit {
  readonly of: RegExp;
  readonly methods: ReadonlySet<string>;
  /** `own`: the route counts by itself. */
  readonly bytes: number | 'own';
  readonly message: string;
}

const ANY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS']);
const PUT: ReadonlySet<string> = new Set(['PUT']);
const usual = `the body must not be larger than ${String(USUAL_BYTES / KIB)} KiB`;

/** The first that fits. */
const LIMITS: readonly Limit[] = [
  { of: /^\/v1\/archives\//, methods: PUT, bytes: 'own', message: '' },
  { of: /^\/v1\/bots\/[^/]+\/query(?:\/|$)/, methods: ANY, bytes: 'own', message: '' },
  {
    of: /^\/v1\/(?:bots|schedules)\/[^/]+$/,
    methods: PUT,
    bytes: DOCUMENT_BYTES,
    message: 'a document must not be larger than 2 MiB',
  },
  { of: /^/, methods: ANY, bytes: USUAL_BYTES, message: usual },
];

const handlers = new Map<Limit, MiddlewareHandler>(
  LIMITS.flatMap((limit) => {
    const { bytes, message } = limit;
    if (bytes === 'own') return [];
    const { code, remedy } = new DroverError('REQUEST_INVALID', message);
    const body = { error: { code, message, remedy } };
    // What is not read any more must not be taken for the next request.
    return [[limit, bodyLimit({ maxSize: bytes, onError: (context) => answerUnread(context, 413, body) })] as const];
  }),
);

export const bodyLimits: MiddlewareHandler = (context, next) => {
  const { path, method } = context.req;
  const limit = LIMITS.find(({ of, methods }) => methods.has(method) && of.test(path)) ?? LIMITS.at(-1);
  const handler = limit === undefined ? undefined : handlers.get(limit);
  return handler === undefined ? next() : handler(context, next);
};
