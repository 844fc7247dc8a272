/** The state of a bot in a real MinIO, with keys that open its own part alone. */
import { afterAll, describe, expect, it } from 'vitest';
import { createMinioStateArchives } from '../../src/adapters/minio/bot-state.ts';
import { createMinioStoreAccess } from '../../src/adapters/minio/store-access.ts';
import type { S3Access } from '../../src/domain/store-access.ts';
import { startOwnS3rver } from '../../scripts/servers/minio-process.ts';
import { startRealMinio } from '../../scripts/servers/minio.ts';
import { stateArchivesContract } from '../contract/state-archives-contract.ts';
import { freshBuckets, plainClient, removeBuckets, unfinishedUploads } from './minio-support.ts';
import { startOr } from './started.ts';

const minio = await startOr(() => startRealMinio({ progress: () => undefined }));
if (typeof minio === 'string') it.skip(minio);
afterAll(async () => {
  if (typeof minio !== 'string') await minio.stop();
});

if (typeof minio !== 'string') {
  const { env } = minio;

  const endpoint = env['MINIO_ENDPOINT'] ?? '';
  const buckets = freshBuckets();
  const client = plainClient(env);
  await client.makeBucket(buckets.state);
  await client.makeBucket(buckets.logs);
  const keys = { accessKey: env['MINIO_ACCESS_KEY'] ?? '', secretKey: env['MINIO_SECRET_KEY'] ?? '' };
  const source = createMinioStoreAccess({
    endpoint,
    containerEndpoint: endpoint,
    useSsl: false,
    ...keys,
    buckets,
    shared: false,
  });
  afterAll(() => removeBuckets(client, buckets));
  const accessFor = async (bot: string): Promise<S3Access> => (await source.accessFor(bot)) as S3Access;
  let count = 0;
  const names = new Map<object, string>();

  stateArchivesContract('MinIO', () =>
    Promise.resolve({
      open: async () => {
        count += 1;
        const bot = `bot ${String(count)} ü+%`;
        const archives = createMinioStateArchives(await accessFor(bot), bot);
        names.set(archives, bot);
        return archives;
      },
      writeOutside: async (archives, content) => {
        await client.putObject(buckets.state, `${names.get(archives) ?? ''}/state.tar.gz`, Buffer.from(content));
      },
      close: async () => {
        expect(await unfinishedUploads(client, buckets.state)).toBe(0);
      },
    }),
  );

  describe('keys of one bot (feature I2)', () => {
    it('open its own part of two buckets and nothing else', async () => {
      const access = await accessFor('mine');
      const others = createMinioStateArchives(access, 'other');
      const own = createMinioStateArchives(access, 'mine');
      await own.putManifest({ attempt: 1, sequence: 1 }, '{}');
      expect(await own.list()).toEqual([{ attempt: 1, sequence: 1 }]);
      const refused = { code: 'ARCHIVE_FORBIDDEN' };
      await expect(others.list()).rejects.toMatchObject(refused);
      await expect(others.legacy()).rejects.toMatchObject(refused);
      await expect(others.putChoice('{}')).rejects.toMatchObject(refused);
      await expect(others.dropChoice()).rejects.toMatchObject(refused);
      // A name that only begins like ours is another bot's.
      await expect(createMinioStateArchives(access, 'mine2').list()).rejects.toMatchObject(refused);
      expect(access.expiresAt).toBeGreaterThan(Date.now());
    });
    it.each(['*', 'b?t', 'a${aws:username}'])(
      'are not given to a bot called %s, for whom they cannot be limited',
      async (bot) => {
        await expect(source.accessFor(bot)).rejects.toMatchObject({ code: 'CREDENTIALS_UNSCOPED' });
      },
    );
    it('are the platform’s own only where the operator shares them', async () => {
      const shared = createMinioStoreAccess({
        endpoint,
        containerEndpoint: endpoint,
        useSsl: false,
        ...keys,
        buckets,
        shared: true,
      });
      expect(await shared.accessFor('mine')).toMatchObject(keys);
    });
    it('need a server that answers, and the right key', async () => {
      const at = (place: string, secretKey = keys.secretKey) =>
        createMinioStoreAccess({
          endpoint: place,
          containerEndpoint: place,
          useSsl: false,
          ...keys,
          secretKey,
          buckets,
          shared: false,
        });
      await expect(at('127.0.0.1:1').accessFor('b')).rejects.toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
      await expect(at(endpoint, 'wrong').accessFor('b')).rejects.toMatchObject({ code: 'ARCHIVE_FORBIDDEN' });
    });
  });
}

const s3rver = await startOwnS3rver();
afterAll(() => s3rver?.stop());
describe.skipIf(s3rver === undefined)('a server without STS', () => {
  it('gives no keys for one bot alone', async () => {
    const endpoint = s3rver?.endpoint ?? '';
    const source = createMinioStoreAccess({
      endpoint,
      containerEndpoint: endpoint,
      useSsl: false,
      accessKey: 'S3RVER',
      secretKey: 'S3RVER',
      buckets: { state: 's', logs: 'l' },
      shared: false,
    });
    await expect(source.accessFor('b')).rejects.toMatchObject({ code: 'CREDENTIALS_UNSCOPED' });
  });
});
