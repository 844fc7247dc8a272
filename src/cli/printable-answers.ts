/** What the API tells of bots, documents and senders, on its way to a person: nothing in it can drive a terminal. */
import { printableAll } from '../domain/printable.ts';
import type { ApiClient } from './api-client.ts';

export const withPrintableAnswers = (api: ApiClient): ApiClient => ({
  ...api,
  call: async <T>(method: string, path: string, body?: unknown): Promise<T> =>
    printableAll(await api.call(method, path, body)) as T,
});
