/** Anything dockerode or its socket throws, as an error of the table. dockerode throws 304 as well: callers ask here. */
import { DroverError, type ErrorCode } from '../../domain/errors.ts';

interface Foreign {
  readonly statusCode?: number;
  readonly code?: string;
  readonly message?: string;
  readonly json?: { readonly message?: string };
}

const SOCKET_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EACCES',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
]);

/** HTTP status the engine answered with, if it answered. */
export const statusOf = (thrown: unknown): number | undefined => (thrown as Foreign | undefined)?.statusCode;

export const textOf = (thrown: unknown): string => {
  const { json, message } = (thrown ?? {}) as Foreign;
  return json?.message ?? message ?? String(thrown);
};

const codeOf = (thrown: unknown): ErrorCode => {
  const { statusCode, code } = (thrown ?? {}) as Foreign;
  const text = textOf(thrown);
  if (code !== undefined && SOCKET_CODES.has(code)) return 'ENGINE_UNAVAILABLE';
  if (/socket hang up|other side closed/i.test(text)) return 'ENGINE_UNAVAILABLE';
  if (/no available IPv4 addresses|exchange full|address pool/i.test(text)) return 'NETWORK_EXHAUSTED';
  if (/removal of container .* is already in progress|marked for removal/i.test(text)) return 'NAME_BUSY';
  if (statusCode === 404 && /no such image/i.test(text)) return 'IMAGE_UNAVAILABLE';
  // 400 is the engine's word for a container it will never accept.
  if (statusCode === 400) return 'ENGINE_REFUSED';
  return 'ENGINE_ERROR';
};

export const toEngineError = (thrown: unknown): DroverError =>
  thrown instanceof DroverError ? thrown : new DroverError(codeOf(thrown), textOf(thrown), { cause: thrown });

/** Runs `call`; the given statuses count as done. @throws DroverError */
export const doneAlso = async (statuses: readonly number[], call: () => Promise<unknown>): Promise<void> => {
  try {
    await call();
  } catch (thrown) {
    const status = statusOf(thrown);
    if (status === undefined || !statuses.includes(status)) throw toEngineError(thrown);
  }
};
