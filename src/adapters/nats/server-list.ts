/** The servers that a NATS URL names: one, or several with commas, each with its own user or token. */
import { DroverError } from '../../domain/errors.ts';

export interface NatsServer {
  readonly host: string;
  readonly port: number;
  /** TLS is insisted on; without, it is used where the server demands it. */
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** `host:port`, for people. */
  readonly address: string;
}

const DEFAULT_PORT = 4222;
const TLS: Readonly<Record<string, boolean>> = { 'nats:': false, 'tcp:': false, 'tls:': true };

/** A name alone is a token, as other clients have it. */
const credentials = (url: URL): Pick<NatsServer, 'user' | 'password' | 'token'> => {
  const [name, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  if (name === '') return {};
  return password === '' ? { token: name } : { user: name, password };
};

const parseServer = (text: string): NatsServer | undefined => {
  try {
    const url = new URL(text.includes('://') ? text : `nats://${text}`);
    const tls = TLS[url.protocol];
    const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
    if (tls === undefined || url.hostname === '' || !['', '/'].includes(url.pathname)) return undefined;
    const address = `${url.hostname}:${String(port)}`;
    return { host: url.hostname.replace(/^\[|\]$/g, ''), port, tls, address, ...credentials(url) };
  } catch {
    return undefined;
  }
};

/** @throws DroverError CONFIG_INVALID, without a word of what was given: it may hold a password */
export const parseServers = (url: string): readonly NatsServer[] =>
  url.split(',').map((part, index) => {
    const server = parseServer(part.trim());
    if (server !== undefined) return server;
    throw new DroverError(
      'CONFIG_INVALID',
      `NATS_URL: server ${String(index + 1)} is not of the form nats://[user:password@]host[:port] or tls://…`,
    );
  });
