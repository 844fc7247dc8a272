/** What an exchange with a query server ended with, as an error of the table. How far it came decides, not the foreign word. */
import { DroverError } from '../../domain/errors.ts';

const textOf = (thrown: unknown): string => {
  const { code, message } = (thrown ?? {}) as { code?: string; message?: string };
  return [message, code === undefined || message?.includes(code) === true ? undefined : `(${code})`]
    .filter((part) => part !== undefined && part !== '')
    .join(' ');
};

/** `asked`: bytes of the request may have been sent; before that nothing was asked and asking again is safe. */
export const toProxyError = (thrown: unknown, asked: boolean): DroverError => {
  if (thrown instanceof DroverError) return thrown;
  if ((thrown as { code?: unknown } | undefined)?.code === 'UND_ERR_INVALID_ARG') {
    return new DroverError('REQUEST_INVALID', textOf(thrown), { cause: thrown });
  }
  return asked
    ? new DroverError('QUERY_REPLY_INVALID', `its query server gave no whole reply: ${textOf(thrown)}`, {
        cause: thrown,
      })
    : new DroverError('QUERY_UNREACHABLE', `its query server is not reached: ${textOf(thrown)}`, { cause: thrown });
};

/** It was asked, and may have done what it was asked to: never asked again. */
export const endedMeanwhile = (): DroverError =>
  new DroverError('QUERY_REPLY_INVALID', 'its container ended while it was asked: the reply may be another one’s');

/** The address is another container's by now, or nobody's. */
export const notItsOwn = (when: string): DroverError =>
  new DroverError('QUERY_UNREACHABLE', `the container ended or lost its address ${when}`);
