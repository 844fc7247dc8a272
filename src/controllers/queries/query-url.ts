/** The URL that a bot's query server is asked with: SDKs read the path and the query string, nothing else (pitfall 60). Pure. */
import type { Json, JsonObject } from '../../domain/json.ts';
import { jsonText } from '../../domain/json-text.ts';
import { QueryFailure } from '../../domain/query.ts';

/** Query servers take request lines and headers of 16 KiB together. */
const MAX_URL = 12 * 1024;

const textOf = (value: Json): string => (typeof value === 'string' ? value : jsonText(value));

/** @throws QueryFailure QUERY_BODY_TOO_LARGE: half of the parameters would be a wrong answer */
export const queryUrl = (path: string, params: JsonObject): string => {
  const pairs = Object.entries(params).map(([name, value]): [string, string] => [name, textOf(value)]);
  const search = pairs.length === 0 ? '' : new URLSearchParams(pairs).toString();
  const encoded = encodeURI(path.toWellFormed()).replace(/[?#]/g, (char) => (char === '?' ? '%3F' : '%23'));
  const url = search === '' ? encoded : `${encoded}?${search}`;
  if (url.length > MAX_URL) {
    throw new QueryFailure(
      'QUERY_BODY_TOO_LARGE',
      `path and parameters make a URL of ${String(url.length)} bytes; a running bot accepts at most ${String(MAX_URL)}`,
    );
  }
  return url;
};
