/** Which bot is asked and what, read off the very path that was routed, each segment decoded once (fault R2). Pure. */

export type QueryTarget =
  | {
      readonly kind: 'target';
      readonly botId: string;
      /** As the handler is registered: what stands behind `/query`. */
      readonly path: string;
      /** Without the question mark; empty where there is none. */
      readonly search: string;
    }
  | { readonly kind: 'malformed'; readonly why: string };

const BOT_ID = 3;
const BEHIND_QUERY = 5;
const DOTS = /\/\.\.?(?:\/|$)/;

const malformed = (why: string): QueryTarget => ({ kind: 'malformed', why });

/** `url` is absolute, `/v1/bots/:id/query/*`. A `%2F` becomes a slash of the path: handlers are registered with slashes. */
export const queryTarget = (url: string): QueryTarget => {
  const from = url.indexOf('/', url.indexOf('//') + 2);
  const hash = url.indexOf('#', from);
  const whole = hash < 0 ? url.slice(from) : url.slice(from, hash);
  const mark = whole.indexOf('?');
  const pathname = mark < 0 ? whole : whole.slice(0, mark);
  const segments = pathname.split('/');
  let botId = segments[BOT_ID] ?? '';
  let path = `/${segments.slice(BEHIND_QUERY).join('/')}`;
  if (pathname.includes('%')) {
    try {
      botId = decodeURIComponent(botId);
      path = decodeURIComponent(path);
    } catch {
      return malformed('the path is not correctly percent-encoded');
    }
    if (botId.includes('\0') || path.includes('\0')) return malformed('the path must not contain NUL');
  }
  // Whoever resolves them on the way asks something else than was said.
  if (DOTS.test(path)) return malformed('the path must not contain `.` or `..` as a segment');
  return { kind: 'target', botId, path, search: mark < 0 ? '' : whole.slice(mark + 1) };
};
