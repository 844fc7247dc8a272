/** MINIO_ENDPOINT as the parts a client needs. */
import { DroverError } from '../../domain/errors.ts';

export interface Endpoint {
  readonly host: string;
  /** Undefined: the usual one of the scheme. */
  readonly port?: number;
  readonly useSsl: boolean;
  /** For people. */
  readonly text: string;
}

const invalid = (text: string): DroverError =>
  new DroverError('CONFIG_INVALID', `MINIO_ENDPOINT ${JSON.stringify(text)}: it is not of the form host:port`);

/**
 * `host:port`; a scheme before it is tolerated and then decides about TLS.
 * @throws DroverError CONFIG_INVALID
 */
export const parseEndpoint = (text: string, useSsl: boolean): Endpoint => {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*?)\/?$/i.exec(text.trim()) ?? [];
  const tls = scheme === undefined ? useSsl : scheme.toLowerCase() === 'https';
  const [, host, port] = /^(\[[\da-f:.]+\]|[^\s:/@?#]+)(?::(\d{1,5}))?$/i.exec(rest) ?? [];
  if (host === undefined || Number(port ?? 1) > 65_535 || Number(port ?? 1) === 0) throw invalid(text);
  const plain = host.replace(/^\[|\]$/g, '');
  return { host: plain, useSsl: tls, text: rest, ...(port === undefined ? {} : { port: Number(port) }) };
};
