/** Keys for queries on a real MinIO: they read the states of one bot and do nothing else (feature I2). */
import { afterAll, describe, expect, it } from 'vitest';
import { createMinioStateArchives } from '../../src/adapters/minio/bot-state.ts';
import { createMinioStoreAccess } from '../../src/adapters/minio/store-access.ts';
import type { S3Access } from '../../src/domain/store-access.ts';
import { startRealMinio } from '../../scripts/servers/minio.ts';
import { freshBuckets, plainClient, removeBuckets } from './minio-support.ts';
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
  afterAll(() => removeBuckets(client, buckets));
  const source = createMinioStoreAccess({
    endpoint,
    containerEndpoint: endpoint,
    useSsl: false,
    accessKey: env['MINIO_ACCESS_KEY'] ?? '',
    secretKey: env['MINIO_SECRET_KEY'] ?? '',
    buckets,
    shared: false,
  });
  const refused = { code: 'ARCHIVE_FORBIDDEN' };
  const SNAPSHOT = { attempt: 1, sequence: 1 };

  describe('keys of a query', () => {
    it('read what the bot has stored, and neither write nor delete', async () => {
      const own = createMinioStateArchives((await source.accessFor('mine')) as S3Access, 'mine');
      await own.putManifest(SNAPSHOT, '{"a":1}');
      const access = (await source.accessFor('mine', { readOnly: true })) as S3Access;
      const view = createMinioStateArchives(access, 'mine');
      expect(await view.list()).toEqual([SNAPSHOT]);
      expect(await view.manifest(SNAPSHOT)).toBe('{"a":1}');
      expect(await view.legacy()).toBeUndefined();
      await expect(view.putManifest({ attempt: 1, sequence: 2 }, '{}')).rejects.toMatchObject(refused);
      await expect(view.dropChoice()).rejects.toMatchObject(refused);
      expect(await own.list()).toEqual([SNAPSHOT]);
    });
    it('open nothing of another bot, and no log', async () => {
      await client.putObject(buckets.logs, 'logs/mine/x', 'x');
      const access = (await source.accessFor('mine', { readOnly: true })) as S3Access;
      await expect(createMinioStateArchives(access, 'mine2').list()).rejects.toMatchObject(refused);
      const inLogs = { ...access, buckets: { ...access.buckets, state: buckets.logs } };
      await expect(createMinioStateArchives(inLogs, 'logs').list()).rejects.toMatchObject(refused);
    });
  });
}
