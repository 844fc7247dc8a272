/** The archive store over real object stores: MinIO, and s3rver, which stands in for it where there is none. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, describe, expect } from 'vitest';
import { S3RVER_KEY, startOwnS3rver } from '../../scripts/servers/minio-process.ts';
import { createMinioStoreAccess } from '../../src/adapters/minio/store-access.ts';
import { archiveStoreContract } from '../contract/archive-store-contract.ts';
import {
  BUCKETS,
  freshFixture,
  isS3rver,
  minioEnv as env,
  minioTest as it,
  noStore,
  storeAt,
  unfinishedUploads,
} from './minio-support.ts';

// What stands in for MinIO where there is none must itself be known to work.
const s3rver = isS3rver ? undefined : await startOwnS3rver();
afterAll(() => s3rver?.stop());

describe.skipIf(noStore !== undefined)(noStore ?? `the worker's ${isS3rver ? 's3rver' : 'MinIO'}`, () => {
  archiveStoreContract(isS3rver ? 's3rver' : 'MinIO', () => Promise.resolve(freshFixture(env)), { inPlace: isS3rver });

  it('makes the four buckets that are missing, also when several do it at once', async ({ client, buckets }) => {
    await Promise.all([1, 2, 3].map(() => storeAt(env, { buckets }).ensureBuckets()));
    for (const bucket of Object.values(buckets)) expect(await client.bucketExists(bucket)).toBe(true);
    await storeAt(env).ping();
    for (const bucket of Object.values(BUCKETS)) expect(await client.bucketExists(bucket)).toBe(true);
  });

  it('makes them again when they were removed meanwhile', async ({ client, buckets }) => {
    const store = storeAt(env, { buckets });
    await store.putCode('a', Readable.from(['1']));
    await client.removeObject(buckets.code, 'a');
    await client.removeBucket(buckets.code);
    expect(await store.openCode('a')).toBeUndefined();
    await store.putCode('a', Readable.from(['2']));
    expect(await store.sizeOfCode('a')).toBe(1);
  });

  it('keeps an archive under exactly its key, as a zip', async ({ client, buckets }) => {
    const keys = ['user-1/my bot', 'user-1/my bot/1.0.0', 'a+b%20c&d=e/ü 雪.zip', "o'k (1)*!~/x"];
    const store = storeAt(env, { buckets });
    for (const key of keys.filter((_key, index) => !isS3rver || index > 0)) {
      await store.putCode(key, Readable.from([key]));
      expect(await store.sizeOfCode(key)).toBe(Buffer.byteLength(key));
      const stat = await client.statObject(buckets.code, key);
      expect(stat.metaData['content-type']).toBe('application/zip');
    }
  });

  it.skipIf(isS3rver)('keeps an archive of several parts', async ({ client, buckets }) => {
    const store = storeAt(env, { buckets });
    const stored = async (): Promise<Buffer> => buffer(await client.getObject(buckets.code, 'big'));
    const content = randomBytes(20 * 1_024 * 1_024 + 17);
    const pieces = Array.from({ length: 21 }, (_none, index) =>
      content.subarray(index * 1_024 * 1_024, (index + 1) * 1_024 * 1_024),
    );
    await store.putCode('big', Readable.from(pieces));
    expect((await stored()).equals(content)).toBe(true);
    const exact = content.subarray(0, 8 * 1_024 * 1_024);
    await store.putCode('big', Readable.from([exact]));
    expect((await stored()).equals(exact)).toBe(true);
  });

  it.skipIf(isS3rver)('leaves nothing behind of an upload that breaks off', async ({ client, buckets }) => {
    const store = storeAt(env, { buckets });
    const breaking = Readable.from(
      (function* () {
        for (let n = 0; n < 10; n += 1) yield randomBytes(1_024 * 1_024);
        throw new Error('broken off');
      })(),
    );
    await expect(store.putCode('big', breaking)).rejects.toMatchObject({
      code: 'ARCHIVE_UNAVAILABLE',
      message: expect.stringContaining('broken off') as string,
    });
    expect(await store.sizeOfCode('big')).toBeUndefined();
    expect(await unfinishedUploads(client, buckets.code)).toBe(0);
  });
});

const own = s3rver?.env ?? env;
describe.skipIf(!isS3rver && s3rver === undefined)('s3rver', () => {
  // Twice the same server would be no news.
  if (!isS3rver)
    archiveStoreContract('s3rver (npm package)', () => Promise.resolve(freshFixture(own)), { inPlace: true });

  it('has no STS, and so gives no keys for one bot alone', async () => {
    const source = createMinioStoreAccess({
      endpoint: own['MINIO_ENDPOINT'] ?? '',
      containerEndpoint: own['MINIO_ENDPOINT'] ?? '',
      useSsl: false,
      accessKey: S3RVER_KEY,
      secretKey: S3RVER_KEY,
      buckets: { state: 's', logs: 'l' },
      shared: false,
    });
    await expect(source.accessFor('b')).rejects.toMatchObject({ code: 'CREDENTIALS_UNSCOPED' });
  });
});
