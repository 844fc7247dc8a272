/**
 * Keys for one bot's part of the archive store: short-lived ones by STS AssumeRole with a session policy. A server without STS
 * cannot limit keys: then bots get none, unless the operator shares the platform's own.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { rootCertificates } from 'node:tls';
import { AssumeRoleProvider } from 'minio/dist/esm/AssumeRoleProvider.mjs';
import { DroverError } from '../../domain/errors.ts';
import type { S3Access } from '../../domain/store-access.ts';
import type { StoreAccessSource } from '../../ports/store-access-source.ts';
import { botPolicy, cannotBeScoped, readPolicy } from './bot-policy.ts';
import { parseEndpoint } from './endpoint.ts';

export interface StoreAccessSettings {
  /** As we reach it, and as containers do. */
  readonly endpoint: string;
  readonly containerEndpoint: string;
  readonly useSsl: boolean;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly caFile?: string;
  readonly region?: string;
  readonly buckets: { readonly state: string; readonly logs: string };
  /** BOT_STORE_CREDENTIALS=shared: our own keys for every bot. */
  readonly shared: boolean;
  readonly lifetimeMs?: number;
}

const ANSWER_MS = 8_000;
const HOUR_MS = 3_600_000;

const UNREACHABLE = /ECONN|ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|EPIPE|socket hang up|timed? ?out|aborted/i;

const toAccessError = (endpoint: string, thrown: unknown): DroverError => {
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  if (UNREACHABLE.test(detail)) {
    return new DroverError('ARCHIVE_UNAVAILABLE', `archive store at ${endpoint}: ${detail}`, { cause: thrown });
  }
  if (
    /InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|signature we calculated|access key.*(invalid|exist)/i.test(
      detail,
    )
  ) {
    const what = `archive store at ${endpoint}: it does not accept MINIO_ACCESS_KEY with MINIO_SECRET_KEY (${detail})`;
    return new DroverError('ARCHIVE_FORBIDDEN', what, { cause: thrown });
  }
  return new DroverError(
    'CREDENTIALS_UNSCOPED',
    `archive store at ${endpoint}: it does not issue keys that are limited to one bot (${detail})`,
    {
      cause: thrown,
    },
  );
};

/** Does not connect. @throws DroverError CONFIG_INVALID when the settings can never work */
export const createMinioStoreAccess = (settings: StoreAccessSettings): StoreAccessSource => {
  const { accessKey, secretKey, useSsl, buckets, shared, caFile, region, lifetimeMs = HOUR_MS } = settings;
  const { text, useSsl: speaksTls } = parseEndpoint(settings.endpoint, useSsl);
  const inside = parseEndpoint(settings.containerEndpoint, useSsl);
  const ca = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
  const agent = speaksTls
    ? new https.Agent({ timeout: ANSWER_MS, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) })
    : new http.Agent({ timeout: ANSWER_MS });
  const port = inside.port === undefined ? '' : `:${String(inside.port)}`;
  const place = {
    kind: 's3',
    endpoint: `${inside.host}${port}`,
    useSsl: inside.useSsl,
    buckets: { state: buckets.state, logs: buckets.logs },
    ...(region === undefined ? {} : { region }),
    ...(ca === undefined ? {} : { ca }),
  } as const;

  const assume = async (botId: string, readOnly: boolean): Promise<S3Access> => {
    const expiresAt = Date.now() + lifetimeMs;
    const provider = new AssumeRoleProvider({
      stsEndpoint: `${speaksTls ? 'https' : 'http'}://${text.replace(/^https?:\/\//, '')}`,
      accessKey,
      secretKey,
      durationSeconds: Math.ceil(lifetimeMs / 1_000),
      policy: readOnly ? readPolicy(botId, buckets) : botPolicy(botId, buckets),
      region: region ?? 'us-east-1',
      transportAgent: agent,
    });
    const keys = await provider.getCredentials();
    return {
      ...place,
      accessKey: keys.accessKey,
      secretKey: keys.secretKey,
      ...(keys.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken }),
      expiresAt,
    };
  };

  return {
    kind: 's3',
    async accessFor(botId, { readOnly = false } = {}) {
      if (shared) return { ...place, accessKey, secretKey };
      if (cannotBeScoped(botId)) {
        const what = `keys cannot be limited to a bot called ${JSON.stringify(botId)}: give it an id without *, ? and \${`;
        throw new DroverError('CREDENTIALS_UNSCOPED', what);
      }
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          reject(new Error('timed out'));
        }, ANSWER_MS);
      });
      try {
        return await Promise.race([assume(botId, readOnly), late]);
      } catch (thrown) {
        throw toAccessError(text, thrown);
      } finally {
        clearTimeout(timer);
      }
    },
  };
};
