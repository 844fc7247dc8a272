/** Keys for queries on a real MinIO: they read the states of one bot and do nothing else (feature I2). */
import { describe, expect } from 'vitest';
import { createMinioStateArchives } from '../../src/adapters/minio/bot-state.ts';
import type { S3Access } from '../../src/domain/store-access.ts';
import { accessSourceAt, minioTest, noMinio } from './minio-support.ts';

const refused = { code: 'ARCHIVE_FORBIDDEN' };
const SNAPSHOT = { attempt: 1, sequence: 1 };

const it = minioTest.extend('source', async ({ client, buckets }) => {
  await client.makeBucket(buckets.state);
  await client.makeBucket(buckets.logs);
  return accessSourceAt(buckets);
});

describe.skipIf(noMinio !== undefined)(noMinio ?? 'keys of a query', () => {
  it('read what the bot has stored, and neither write nor delete', async ({ source }) => {
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
  it('open nothing of another bot, and no log', async ({ client, buckets, source }) => {
    await client.putObject(buckets.logs, 'logs/mine/x', 'x');
    const access = (await source.accessFor('mine', { readOnly: true })) as S3Access;
    await expect(createMinioStateArchives(access, 'mine2').list()).rejects.toMatchObject(refused);
    const inLogs = { ...access, buckets: { ...access.buckets, state: buckets.logs } };
    await expect(createMinioStateArchives(inLogs, 'logs').list()).rejects.toMatchObject(refused);
  });
});
