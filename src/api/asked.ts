/** Who asked, from a request's headers: bounded and printable, because it ends up in the log that people read. */
import type { Context } from 'hono';
import type { Asked } from '../ports/spec-store.ts';
import type { ApiDeps } from './deps.ts';

const printable = (text: string | undefined, max: number): string | undefined => {
  const cleaned = text
    ?.replace(/[^\x20-\x7e]/g, '')
    .trim()
    .slice(0, max);
  return cleaned === '' ? undefined : cleaned;
};

export const askedBy = (context: Context, deps: ApiDeps, action: string): Asked => ({
  requestId: printable(context.req.header('x-request-id'), 100) ?? deps.mintId(),
  actor: printable(context.req.header('x-drover-actor'), 100) ?? 'api',
  action,
  at: deps.clock.now(),
});
