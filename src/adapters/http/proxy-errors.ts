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
    ? new DroverError('QUERY_REPLY_INVALID', `the query server of the bot sent no complete reply: ${textOf(thrown)}`, {
        cause: thrown,
      })
    : new DroverError('QUERY_UNREACHABLE', `the query server of the bot cannot be reached: ${textOf(thrown)}`, {
        cause: thrown,
      });
};

/** It was asked, and may have done what it was asked to: never asked again. */
export const endedMeanwhile = (): DroverError =>
  new DroverError(
    'QUERY_REPLY_INVALID',
    'the container ended during the query: the reply may come from another container',
  );

/** The address is another container's by now, or nobody's. */
export const notItsOwn = (when: string): DroverError =>
  new DroverError('QUERY_UNREACHABLE', `the container ended or lost its address ${when}`);
