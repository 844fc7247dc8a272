/** The archive store over real object stores: MinIO, and s3rver, which stands in for it where there is none. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { startOwnS3rver } from '../../scripts/servers/minio-process.ts';
import { startMinio } from '../../scripts/servers/minio.ts';
import { archiveStoreContract } from '../contract/archive-store-contract.ts';
import {
  BUCKETS,
  freshBuckets,
  freshFixture,
  plainClient,
  removeBuckets,
  storeAt,
  unfinishedUploads,
} from './minio-support.ts';
import { startOr, tellStandIn } from './started.ts';

const found = await startOr(() => startMinio({ progress: () => undefined }));
const none = typeof found === 'string' ? found : undefined;
const server = typeof found === 'string' ? undefined : found;
const isS3rver = server?.instead !== undefined;
// What stands in for MinIO where there is none must itself be known to work.
const s3rver = isS3rver ? undefined : await startOwnS3rver();
afterAll(async () => {
  await server?.stop();
  await s3rver?.stop();
});
const env = server?.env ?? {};

describe.skipIf(server === undefined)(none ?? server?.how ?? '', () => {
  archiveStoreContract(server?.how ?? '', () => Promise.resolve(freshFixture(env)), { inPlace: isS3rver });
  if (server !== undefined) tellStandIn(server);

  it('makes the four buckets that are missing, also when several do it at once', async () => {
    const client = plainClient(env);
    const buckets = freshBuckets();
    await Promise.all([1, 2, 3].map(() => storeAt(env, { buckets }).ensureBuckets()));
    for (const bucket of Object.values(buckets)) expect(await client.bucketExists(bucket)).toBe(true);
    await storeAt(env).ping();
    for (const bucket of Object.values(BUCKETS)) expect(await client.bucketExists(bucket)).toBe(true);
    await removeBuckets(client, buckets);
  });

  it('makes them again when they were removed meanwhile', async () => {
    const buckets = freshBuckets();
    const store = storeAt(env, { buckets });
    await store.putCode('a', Readable.from(['1']));
    const client = plainClient(env);
    await client.removeObject(buckets.code, 'a');
    await client.removeBucket(buckets.code);
    expect(await store.openCode('a')).toBeUndefined();
    await store.putCode('a', Readable.from(['2']));
    expect(await store.sizeOfCode('a')).toBe(1);
    await removeBuckets(client, buckets);
  });

  it('keeps an archive under exactly its key, as a zip', async () => {
    const buckets = freshBuckets();
    const client = plainClient(env);
    const keys = ['user-1/my bot', 'user-1/my bot/1.0.0', 'a+b%20c&d=e/ü 雪.zip', "o'k (1)*!~/x"];
    const store = storeAt(env, { buckets });
    for (const key of keys.filter((_key, index) => !isS3rver || index > 0)) {
      await store.putCode(key, Readable.from([key]));
      expect(await store.sizeOfCode(key)).toBe(Buffer.byteLength(key));
      const stat = await client.statObject(buckets.code, key);
      expect(stat.metaData['content-type']).toBe('application/zip');
    }
    // s3rver cannot remove all that it keeps.
    if (!isS3rver) await removeBuckets(client, buckets);
  });

  it.skipIf(isS3rver)('keeps an archive of several parts', async () => {
    const fixture = freshFixture(env);
    const content = randomBytes(20 * 1_024 * 1_024 + 17);
    const pieces = Array.from({ length: 21 }, (_none, index) =>
      content.subarray(index * 1_024 * 1_024, (index + 1) * 1_024 * 1_024),
    );
    await fixture.store.putCode('big', Readable.from(pieces));
    expect((await fixture.content('big')).equals(content)).toBe(true);
    const exact = content.subarray(0, 8 * 1_024 * 1_024);
    await fixture.store.putCode('big', Readable.from([exact]));
    expect((await fixture.content('big')).equals(exact)).toBe(true);
    await fixture.close();
  });

  it.skipIf(isS3rver)('leaves nothing behind of an upload that breaks off', async () => {
    const buckets = freshBuckets();
    const client = plainClient(env);
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
    await removeBuckets(client, buckets);
  });
});

// Twice the same server would be no news.
if (!isS3rver) {
  describe.skipIf(s3rver === undefined)('s3rver', () => {
    const fixture = () => Promise.resolve(freshFixture(s3rver?.env ?? {}));
    archiveStoreContract('s3rver (npm package)', fixture, { inPlace: true });
  });
}
