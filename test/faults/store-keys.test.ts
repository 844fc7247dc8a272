/** Keys of bots for their part of the archive store: renewed while they run, for their own part alone, and seen by nobody (I1, I3). */
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { S3Access, StoreAccess } from '../../src/domain/store-access.ts';
import { DELIVERY } from '../../src/domain/delivery.ts';
import { HAS } from '../support/servers-world.ts';
import { docker } from '../support/spine.ts';
import { COUNTING } from '../support/state-bots.ts';
import { openStorageWorld, type StorageWorld } from '../support/storage-world.ts';

describe.skipIf(!HAS.minio)('the keys of a bot', () => {
  let world: StorageWorld;
  /** What was given out, in order. */
  const given: S3Access[] = [];
  /** Where in that list the keys are of no use: the first ones that are renewed once the bot is at work. */
  let useless: number | undefined;
  beforeAll(async () => {
    const asS3 = (keys: StoreAccess): S3Access => keys as S3Access;
    world = await openStorageWorld({
      wrapAccess: (source) => ({
        kind: source.kind,
        async accessFor(botId) {
          const keys = asS3(await source.accessFor(botId));
          const wrong = given.length === useless ? { secretKey: 'not-the-secret-key' } : {};
          // Each is renewed after half of its life.
          const access = { ...keys, ...wrong, expiresAt: Date.now() + 4_000 };
          given.push(access);
          return access;
        },
      }),
    });
  });
  afterAll(() => world.close());

  it('are renewed again and again without a restart, and the newest are used', async () => {
    const { spine } = world;
    await spine.deploy('renewed', COUNTING);
    const { containerId } = await spine.reaches('renewed', 'running');
    await world.synced('renewed');
    const next = given.length;
    useless = next;
    await expect.poll(() => given.length).toBeGreaterThan(next + 2);
    // With those keys nothing could be stored.
    const before = await world.newest('renewed');
    await expect.poll(() => world.newest('renewed')).not.toEqual(before);
    const tar = await buffer(await docker.getContainer(containerId ?? '').getArchive({ path: DELIVERY.accessFile }));
    const inside = tar.toString('latin1');
    expect(inside).not.toContain('not-the-secret-key');
    // Delivered after those that were useless.
    expect(
      given.slice(next + 1).some(({ sessionToken = '' }) => sessionToken !== '' && inside.includes(sessionToken)),
    ).toBe(true);
    expect(spine.bot('renewed')).toMatchObject({ containerId, restarts: 0, state: 'running' });
    const status = () => spine.bot('renewed')?.conditions.find(({ type }) => type === 'StateSynced')?.status;
    await expect.poll(status).toBe('True');
  });

  it('open its own part, and nothing of another bot', async () => {
    const { accessKey, secretKey, sessionToken = '', buckets } = given.at(-1) ?? ({} as S3Access);
    const [endPoint = '', port] = (process.env['MINIO_ENDPOINT'] ?? '').split(':');
    const client = new Client({ endPoint, port: Number(port), useSSL: false, accessKey, secretKey, sessionToken });
    await client.putObject(buckets.state, 'renewed/probe', 'x');
    await client.removeObject(buckets.state, 'renewed/probe');
    await expect(client.putObject(buckets.state, 'other/probe', 'x')).rejects.toThrow(/denied/i);
    await expect(client.getObject(buckets.state, 'other/state.tar.gz')).rejects.toThrow(/denied/i);
    const listing = async (prefix: string): Promise<number> => {
      let count = 0;
      for await (const _found of client.listObjectsV2(buckets.state, prefix, true)) count += 1;
      return count;
    };
    expect(await listing('renewed/')).toBeGreaterThan(0);
    await expect(listing('other/')).rejects.toThrow(/denied/i);
    await expect(listing('')).rejects.toThrow(/denied/i);
  });

  it('are in no inspection, no environment and no output', async () => {
    const { containerId } = await world.spine.reaches('renewed', 'running');
    const seen = JSON.stringify(await docker.getContainer(containerId ?? '').inspect());
    const printed = await world.printed('renewed');
    const told = JSON.stringify(world.spine.told);
    for (const { secretKey, sessionToken = 'none' } of given) {
      for (const text of [seen, printed, told]) {
        expect(text).not.toContain(secretKey);
        expect(text).not.toContain(sessionToken);
      }
    }
  });
});
