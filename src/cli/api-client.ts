/** The HTTP API as the command line uses it: the only way in. */
import { createHash } from 'node:crypto';
import { createReadStream, openAsBlob } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { jsonText } from '../domain/json-text.ts';
import { parseJson } from '../domain/parse-json.ts';
import { faultOf, requireDrover, unanswered, watchOver } from './api-faults.ts';
import { serverUrl } from './server-url.ts';

export interface ApiClient {
  /** Parsed answer. @throws DroverError as the API says, API_UNREACHABLE, or NOT_DROVER */
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Streams a file. @throws as call */
  upload(path: string, file: string): Promise<void>;
  /** Lines of a stream, until it or the signal ends. */
  lines(path: string, signal: AbortSignal): AsyncIterable<string>;
}

/** What is nested deeper is printed as it came. */
const LIMITS = { maxDepth: 1_000, maxValues: Infinity } as const;

/** With all numbers as they were written. What a bot answered may be no JSON. */
const parsed = (text: string): unknown => {
  try {
    return parseJson(text, LIMITS);
  } catch {
    return text;
  }
};

export const createApiClient = (options: { url: string; token: string | undefined; actor: string }): ApiClient => {
  const { url, token, actor } = options;
  const base = serverUrl(url);
  const send = async (path: string, init: RequestInit): Promise<Response> => {
    const ended = new AbortController();
    const unwatch = watchOver(base, url, (reason) => {
      ended.abort(reason);
    });
    let response: Response;
    try {
      response = await fetch(new URL(path, base), {
        ...init,
        // To another program than drover, which would get the token with it.
        redirect: 'manual',
        signal: init.signal == null ? ended.signal : AbortSignal.any([init.signal, ended.signal]),
        headers: {
          'x-drover-actor': actor,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(init.headers as Record<string, string> | undefined),
        },
      });
    } catch (error) {
      throw unanswered(url, error);
    } finally {
      unwatch();
    }
    requireDrover(response, url);
    if (!response.ok) throw await faultOf(response);
    return response;
  };
  return {
    async call<T>(method: string, path: string, body?: unknown): Promise<T> {
      const content =
        body === undefined ? {} : { body: jsonText(body), headers: { 'content-type': 'application/json' } };
      return parsed(await (await send(path, { method, ...content })).text()) as T;
    },
    async upload(path, file) {
      // With its size announced, which a stream of its own would not be.
      const body = await openAsBlob(file);
      const hash = createHash('sha256');
      await pipeline(createReadStream(file), hash);
      const headers = {
        'content-type': 'application/zip',
        'content-digest': `sha-256=:${hash.digest('base64')}:`,
      };
      await send(path, { method: 'PUT', body, headers });
    },
    async *lines(path, signal) {
      const { body } = await send(path, { signal });
      if (body === null) return;
      let rest = '';
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        yield* lines.filter((line) => line !== '');
      }
    },
  };
};
