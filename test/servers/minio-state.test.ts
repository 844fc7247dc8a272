/** The state of a bot in a real MinIO, with keys that open its own part alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMinioStateArchives } from '../../src/adapters/minio/bot-state.ts';
import type { S3Access } from '../../src/domain/store-access.ts';
import { stateArchivesContract } from '../contract/state-archives-contract.ts';
import {
  accessSourceAt,
  freshBuckets,
  minioEnv,
  noMinio,
  plainClient,
  removeBuckets,
  unfinishedUploads,
} from './minio-support.ts';

describe.skipIf(noMinio !== undefined)(noMinio ?? 'state in MinIO', () => {
  const buckets = freshBuckets();
  const client = plainClient(minioEnv);
  const source = accessSourceAt(buckets);
  beforeAll(async () => {
    await client.makeBucket(buckets.state);
    await client.makeBucket(buckets.logs);
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
      expect(await accessSourceAt(buckets, { shared: true }).accessFor('mine')).toMatchObject({
        accessKey: minioEnv['MINIO_ACCESS_KEY'],
        secretKey: minioEnv['MINIO_SECRET_KEY'],
      });
    });
    it('need a server that answers, and the right key', async () => {
      const at = accessSourceAt(buckets, { endpoint: '127.0.0.1:1' });
      await expect(at.accessFor('b')).rejects.toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
      const wrong = accessSourceAt(buckets, { secretKey: 'wrong' });
      await expect(wrong.accessFor('b')).rejects.toMatchObject({ code: 'ARCHIVE_FORBIDDEN' });
    });
  });
});
