/** What came back instead of an answer of drover, in words that say what is there. */
import { DROVER_HEADER } from '../domain/drover-header.ts';
import { DroverError, isErrorCode } from '../domain/errors.ts';
import { printable } from '../domain/printable.ts';

interface ApiFault {
  readonly error?: { readonly code?: string; readonly message?: string } | string;
  /** Of a query: beside its error, which is the bot's own text. */
  readonly code?: string;
}

/** Header values of a program that we do not know. */
const quoted = (text: string | null): string => printable(text ?? '').slice(0, 200);

const notDrover = (url: string, what: string): DroverError =>
  new DroverError('NOT_DROVER', `what answers at ${url} is no drover: ${what}`);

/** @throws DroverError NOT_DROVER for an answer that no drover gives */
export const requireDrover = (response: Response, url: string): void => {
  if (response.headers.has(DROVER_HEADER)) return;
  const { status, headers } = response;
  if (status >= 300 && status < 400) throw notDrover(url, `it redirects to ${quoted(headers.get('location'))}`);
  const type = quoted(headers.get('content-type'));
  throw notDrover(url, `it answered with HTTP ${String(status)}${type === '' ? '' : ` and ${type}`}`);
};

/** The error that a drover answered with. */
export const faultOf = async (response: Response): Promise<DroverError> => {
  const fault = (await response.json().catch(() => ({}))) as ApiFault;
  const { error, code = '' } =
    typeof fault.error === 'object' ? { error: fault.error.message, code: fault.error.code } : fault;
  const message = typeof error === 'string' ? error : `HTTP ${String(response.status)}`;
  return new DroverError(isErrorCode(code) ? code : 'INTERNAL', message);
};

interface Cause {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name cannot be resolved',
  EAI_AGAIN: 'its name cannot be resolved',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_HEADERS_TIMEOUT: 'it accepts connections and does not answer',
  UND_ERR_BODY_TIMEOUT: 'its answer stopped in the middle',
};
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ALTNAME/;
const PLAIN = /^(EPROTO|ERR_SSL_)/;
const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);

/** Why a request got no answer at all; `thrown`: what `fetch` threw. */
export const unanswered = (url: string, thrown: unknown): DroverError => {
  if (thrown instanceof DroverError) return thrown;
  const { cause } = (thrown ?? {}) as Cause;
  const { code, message } = (cause ?? {}) as Cause;
  const name = typeof code === 'string' ? code : '';
  const options = { cause: thrown };
  if (name.startsWith('HPE_')) {
    const hint = url.startsWith('http:') ? `; if it speaks TLS, write ${url.replace(/^http:/, 'https:')}` : '';
    return new DroverError('NOT_DROVER', `what answers at ${url} is no drover: it does not speak HTTP${hint}`, options);
  }
  if (CLOSED.has(name)) {
    const why = 'it closed the connection without an answer; if it speaks TLS, the address begins with https://';
    return new DroverError('NOT_DROVER', `what answers at ${url} is no drover: ${why}`, options);
  }
  if (PLAIN.test(name)) {
    const why = `it does not speak TLS; write ${url.replace(/^https:/, 'http:')}`;
    return new DroverError('NOT_DROVER', `what answers at ${url} is no drover: ${why}`, options);
  }
  if (CERTIFICATE.test(name)) {
    const why = `its certificate is not trusted (${name}); NODE_EXTRA_CA_CERTS names a file with its authority`;
    return new DroverError('API_UNREACHABLE', `drover cannot be reached at ${url}: ${why}`, options);
  }
  const why = UNREACHABLE[name] ?? (message === 'bad port' ? 'this port is not used for HTTP' : undefined);
  const said = why === undefined ? `nothing answers at ${url}` : `drover cannot be reached at ${url}: ${why}`;
  return new DroverError('API_UNREACHABLE', said, options);
};

/** So long an answer may take before it is asked whether a drover is there at all. */
const SLOW_MS = 5_000;

/**
 * Watches over a request that may rightly take minutes: when it has no answer after a while, and nothing at the address says that
 * it is a drover, it is given up with the reason. Returns how to end the watch.
 */
export const watchOver = (base: URL, url: string, giveUp: (reason: DroverError) => void): (() => void) => {
  const probe = async (): Promise<void> => {
    try {
      const signal = AbortSignal.timeout(SLOW_MS);
      const response = await fetch(new URL('/healthz', base), { redirect: 'manual', signal });
      await response.body?.cancel();
      requireDrover(response, url);
    } catch (thrown) {
      const isSilent = (thrown as { name?: unknown }).name === 'TimeoutError';
      const silent = 'it accepts connections and does not answer';
      giveUp(
        isSilent
          ? new DroverError('API_UNREACHABLE', `drover cannot be reached at ${url}: ${silent}`)
          : unanswered(url, thrown),
      );
    }
  };
  const timer = setTimeout(() => void probe(), SLOW_MS);
  return () => {
    clearTimeout(timer);
  };
};
