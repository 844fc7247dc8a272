/** A store that lacks a right, or has wrong keys, says so: which bucket, which right, which setting. */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { Readable } from 'node:stream';
import { AssumeRoleProvider } from 'minio/dist/esm/AssumeRoleProvider.mjs';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/free-port.ts';
import type { MinioArchives, MinioSettings } from '../../src/adapters/minio/minio-archives.ts';
import { freshBuckets, minioEnv as env, minioTest, noMinio, refusalOf, storeAt } from './minio-support.ts';

/** A store with temporary keys that may do no more than these actions. */
const storeThatMay = async (actions: readonly string[], buckets: MinioSettings['buckets']): Promise<MinioArchives> => {
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: ['arn:aws:s3:::*'] }],
  };
  const provider = new AssumeRoleProvider({
    stsEndpoint: `http://${env['MINIO_ENDPOINT'] ?? ''}`,
    accessKey: env['MINIO_ACCESS_KEY'] ?? '',
    secretKey: env['MINIO_SECRET_KEY'] ?? '',
    policy: JSON.stringify(policy),
    action: 'AssumeRole',
  });
  const keys = await provider.getCredentials();
  return storeAt(env, {
    buckets,
    accessKey: keys.getAccessKey(),
    secretKey: keys.getSecretKey(),
    sessionToken: keys.getSessionToken(),
  });
};

describe.skipIf(noMinio !== undefined)(noMinio ?? 'rights on MinIO', () => {
  const LOOK = 's3:ListBucket';

  it('names s3:CreateBucket when a bucket is missing and may not be made', async () => {
    const buckets = freshBuckets();
    const error = await refusalOf((await storeThatMay([LOOK], buckets)).ping());
    expect(error.code).toBe('ARCHIVE_FORBIDDEN');
    expect(error.message).toMatch(/s3:CreateBucket/);
    expect(Object.values(buckets).some((bucket) => error.message.includes(bucket))).toBe(true);
    expect(error.message).toMatch(/Access Denied/);
  });

  it('names s3:ListBucket when a bucket may not be looked for', async () => {
    const error = await refusalOf((await storeThatMay(['s3:GetObject'], freshBuckets())).ping());
    expect(error).toMatchObject({
      code: 'ARCHIVE_FORBIDDEN',
      message: expect.stringMatching(/s3:ListBucket/) as string,
    });
  });

  minioTest('names s3:GetObject and s3:PutObject, and the right may come later', async ({ buckets }) => {
    await storeAt(env, { buckets }).putCode('a', Readable.from(['x']));
    const store = await storeThatMay([LOOK], buckets);
    for (const attempt of [store.sizeOfCode, store.openCode]) {
      const error = await refusalOf(attempt('a'));
      expect(error.code).toBe('ARCHIVE_FORBIDDEN');
      expect(error.message).toMatch(new RegExp(`${buckets.code}.*s3:GetObject`));
    }
    for (const size of [1, 200_000, 3_000_000, 7_900_000, 9_000_000]) {
      const error = await refusalOf(store.putCode('b', Readable.from([randomBytes(size)])));
      expect(error.message).toMatch(new RegExp(`${buckets.code}.*s3:PutObject`));
      expect(error.code).toBe('ARCHIVE_FORBIDDEN');
    }
  });

  it.each(['accessKey', 'secretKey'] as const)('names the settings of wrong keys: %s', async (which) => {
    const secret = 'a-secret-nobody-sees';
    const store = storeAt(env, {
      buckets: freshBuckets(),
      [which]: secret,
      ...(which === 'accessKey' && { secretKey: secret }),
    });
    const regional = storeAt(env, {
      region: 'us-east-1',
      [which]: secret,
      ...(which === 'accessKey' && { secretKey: secret }),
    });
    for (const attempt of [store.ping, () => store.sizeOfCode('a'), regional.ping]) {
      const error = await refusalOf(attempt());
      expect(error.code).toBe('ARCHIVE_FORBIDDEN');
      expect(error.message).toMatch(/MINIO_ACCESS_KEY.*MINIO_SECRET_KEY/);
      if (which === 'secretKey') expect(error.message).not.toContain(secret);
    }
  });
});

describe('rights on any server that speaks S3', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });

  /** Answers every request with this, without reading it. */
  const serve = async (status: number, body: string, headers: Record<string, string> = {}): Promise<MinioArchives> => {
    const port = await freePort();
    const server = createServer((request, response) => {
      response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return storeAt({ MINIO_ENDPOINT: `127.0.0.1:${String(port)}`, MINIO_ACCESS_KEY: 'a', MINIO_SECRET_KEY: 'secret' });
  };
  const xml = (code: string, message: string): string =>
    `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`;

  it('takes a 403 without a word as a right that lacks, or wrong keys', async () => {
    const error = await refusalOf((await serve(403, '')).ping());
    expect(error).toMatchObject({ code: 'ARCHIVE_FORBIDDEN' });
    expect(error.message).toMatch(/s3:ListBucket.*or MINIO_ACCESS_KEY/);
  });

  it.each([
    [403, xml('InvalidAccessKeyId', 'no such key'), 'ARCHIVE_FORBIDDEN', /MINIO_ACCESS_KEY.*no such key/],
    [403, xml('RequestTimeTooSkewed', 'too far'), 'ARCHIVE_UNAVAILABLE', /clock/],
    [503, xml('SlowDown', 'busy'), 'ARCHIVE_UNAVAILABLE', /SlowDown: busy/],
    [500, 'plain words', 'ARCHIVE_UNAVAILABLE', /plain words/],
  ])('keeps the word of a %d: %s', async (status, body, code, message) => {
    const error = await refusalOf((await serve(status, body)).ping());
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('reads no error without end', async () => {
    const error = await refusalOf((await serve(500, 'x'.repeat(1_000_000))).ping());
    expect(error.message.length).toBeLessThan(500);
  });
});
