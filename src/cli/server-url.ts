/** The address of the API as somebody wrote it. */
import { DroverError } from '../domain/errors.ts';

const SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:']);

const wrong = (message: string): DroverError => new DroverError('CONFIG_INVALID', `--url or DROVER_URL: ${message}`);

/** @throws DroverError CONFIG_INVALID for what is no address of an HTTP server */
export const serverUrl = (text: string): URL => {
  const given = text.trim();
  if (URL.canParse(given)) {
    const url = new URL(given);
    if (SCHEMES.has(url.protocol)) return url;
    if (given.includes('://')) throw wrong(`\`${given}\` must begin with http:// or https://`);
  }
  const meant = `http://${given.replace(/^\/+/, '')}`;
  throw wrong(`\`${given}\` ${URL.canParse(meant) ? `has no scheme; write ${meant}` : 'is not an address'}`);
};
