/** A client of the minio package, set up so that nothing waits for ever and nothing is tried behind our back. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import { Client } from 'minio';
import { DroverError } from '../../domain/errors.ts';
import type { Endpoint } from './endpoint.ts';
import { createTransport } from './transport.ts';

export interface ClientSettings {
  readonly accessKey: string;
  readonly secretKey: string;
  /** Of temporary keys (STS). */
  readonly sessionToken?: string | undefined;
  readonly region?: string | undefined;
  /** Authorities of the server's certificate (PEM), besides those that come with Node: MINIO_CA_FILE. */
  readonly caFile?: string | undefined;
  /** An authority of the server's certificate (PEM), as it is delivered to a container. */
  readonly ca?: string | undefined;
  /** Bytes a second: an upload that goes no slower is not given up. */
  readonly slowest?: number | undefined;
}

const readCa = (caFile: string): string => {
  try {
    const pem = readFileSync(caFile, 'utf8');
    // TLS would pass over what is no certificate without a word.
    new X509Certificate(pem);
    return pem;
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    const what = `MINIO_CA_FILE ${JSON.stringify(caFile)} is not a readable certificate in PEM (${detail})`;
    throw new DroverError('CONFIG_INVALID', what, { cause: thrown });
  }
};

/**
 * Connections are not kept: archives are asked for seldom, and a kept one may have died with its server unnoticed. With
 * no `ca` of ours Node's own list holds, to which NODE_EXTRA_CA_CERTS adds.
 */
const agentFor = (endpoint: Endpoint, { caFile, ca }: ClientSettings): http.Agent => {
  if (!endpoint.useSsl) return new http.Agent({ keepAlive: false });
  const own = [...(caFile === undefined ? [] : [readCa(caFile)]), ...(ca === undefined ? [] : [ca])];
  return new https.Agent({ keepAlive: false, ...(own.length === 0 ? {} : { ca: [...rootCertificates, ...own] }) });
};

/** Does not connect. @throws DroverError CONFIG_INVALID when these settings can never work */
export const createClient = (endpoint: Endpoint, settings: ClientSettings): Client => {
  const { accessKey, secretKey, sessionToken, region } = settings;
  const transportAgent = agentFor(endpoint, settings);
  try {
    return new Client({
      endPoint: endpoint.host,
      ...(endpoint.port === undefined ? {} : { port: endpoint.port }),
      useSSL: endpoint.useSsl,
      accessKey,
      secretKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...(region === undefined ? {} : { region }),
      transport: createTransport(endpoint.useSsl, settings.slowest),
      transportAgent,
      // The loop above tries again by its own rules, and the package would print to the console.
      retryOptions: { disableRetry: true },
    });
  } catch (thrown) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    throw new DroverError('CONFIG_INVALID', `MINIO_ENDPOINT ${endpoint.text}: ${detail}`, { cause: thrown });
  }
};
