/** R12 and kills: a bot's state goes into a real MinIO that is slow, away, or has too much to do. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { createMinioStateArchives } from '../../src/adapters/minio/bot-state.ts';
import { createMinioStoreAccess } from '../../src/adapters/minio/store-access.ts';
import type { S3Access } from '../../src/domain/store-access.ts';
import { startRealMinio } from '../../scripts/servers/minio.ts';
import { cases } from '../support/full.ts';
import { openFailingHttp } from '../support/failing-http.ts';
import { openSlowProxy } from '../support/slow-proxy.ts';
import { surviveKills } from '../support/state-kills.ts';
import { openStateVolume } from '../support/state-volume.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';
import { freshBuckets, plainClient, removeBuckets } from './minio-support.ts';
import { startOr } from './started.ts';

const ROUNDS = cases(6, 30);
const BURSTS = cases(4, 8);
/** At 10 kB/s each takes a second, and the client gives up what has not moved for ten. */
const SLOW_KB = cases(150, 300);

const minio = await startOr(() => startRealMinio({ progress: () => undefined }));
if (typeof minio === 'string') it.skip(minio);

if (typeof minio !== 'string') {
  const { env } = minio;
  const endpoint = env['MINIO_ENDPOINT'] ?? '';
  const buckets = freshBuckets();
  const client = plainClient(env);
  await client.makeBucket(buckets.state);
  const source = createMinioStoreAccess({
    endpoint,
    containerEndpoint: endpoint,
    useSsl: false,
    accessKey: env['MINIO_ACCESS_KEY'] ?? '',
    secretKey: env['MINIO_SECRET_KEY'] ?? '',
    buckets,
    shared: false,
  });
  const accessFor = async (botId: string, through = endpoint): Promise<S3Access> => ({
    ...((await source.accessFor(botId)) as S3Access),
    endpoint: through,
  });
  const unfinished = async (botId: string): Promise<number> => {
    const { uploads } = await client.listIncompleteUploadsQuery(buckets.state, '', '', '', '');
    return uploads.filter(({ key }) => key.startsWith(`${botId}/`)).length;
  };
  afterAll(async () => {
    await removeBuckets(client, buckets);
    await minio.stop();
  });

  describe('a bot’s state in MinIO', () => {
    it(
      'a kill at any moment of a restore or a sync leaves a whole state, and the right one',
      { timeout: 300_000 },
      async () => {
        const access = await accessFor('killed');
        const archives = createMinioStateArchives(access, 'killed');
        const broken = await surviveKills({ rounds: ROUNDS, access, botId: 'killed', archives });
        expect(broken).toBeGreaterThan(ROUNDS / 3);
      },
    );

    it('R12: cut in the middle: no partial snapshot is seen, nothing stays unfinished, and the next sync stores all', async () => {
      const proxy = await openTcpProxy(endpoint);
      const archives = createMinioStateArchives(await accessFor('cut', proxy.address), 'cut');
      const straight = createMinioStateArchives(await accessFor('cut'), 'cut');
      const volume = await openStateVolume(archives);
      try {
        const keeper = volume.keeper();
        await keeper.restore();
        for (let n = 0; n < 4; n += 1) {
          const big = Object.fromEntries(
            [1, 2, 3].map((k) => [`big${String(k)}`, randomBytes(4_500_000).toString('hex')]),
          );
          await volume.write(big);
          const before = await straight.list();
          const going = keeper.sync({ final: false });
          const failing = expect(going).rejects.toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
          await sleep(60 + n * 60);
          proxy.cut();
          await failing;
          expect(await straight.list()).toEqual(before);
          proxy.restore();
          expect(await keeper.sync({ final: true })).toMatchObject({ status: 'synced' });
        }
        await sleep(500);
        expect(await unfinished('cut')).toBe(0);
        const wanted = await volume.tree();
        await volume.dropVolumes();
        await volume.keeper({ attempt: 2 }).restore();
        expect(await volume.tree()).toEqual(wanted);
      } finally {
        await volume.close();
        await proxy.close();
      }
    });

    it('R12: cut in the middle of a restore: an outage, no damage, and the volume is as it was', async () => {
      const proxy = await openTcpProxy(endpoint);
      const straight = createMinioStateArchives(await accessFor('cut2'), 'cut2');
      const volume = await openStateVolume(straight);
      try {
        await volume.keeper().restore();
        await volume.write(
          Object.fromEntries([1, 2, 3, 4, 5].map((k) => [`big${String(k)}`, randomBytes(4_500_000).toString('hex')])),
        );
        await volume.keeper().sync({ final: true });
        const wanted = await volume.tree();
        await volume.dropVolumes();
        await volume.write({ '.the0-state/found': 'here' });
        const before = await volume.tree();
        const archives = createMinioStateArchives(await accessFor('cut2', proxy.address), 'cut2');
        const failing = expect(volume.keeper({ attempt: 2, archives }).restore()).rejects.toMatchObject({
          code: 'STORAGE_UNAVAILABLE',
        });
        // So far that it is unpacking.
        await expect
          .poll(
            () =>
              readdir(join(volume.statePath, '.drover-restore/new')).then(
                (names) => names.length,
                () => 0,
              ),
            {
              interval: 5,
            },
          )
          .toBeGreaterThan(0);
        proxy.cut();
        await failing;
        const { '.drover-restore/': _work, ...left } = await volume.tree();
        expect(
          Object.fromEntries(Object.entries(left).filter(([path]) => !path.startsWith('.drover-restore'))),
        ).toEqual(before);
        proxy.restore();
        await volume.keeper({ attempt: 3, archives }).restore();
        expect(await volume.tree()).toEqual(wanted);
      } finally {
        await volume.close();
        await proxy.close();
      }
    });

    it(
      'R12: 5xx in bursts: retried by whoever syncs, never a partial or a wrong snapshot',
      { timeout: 300_000 },
      async () => {
        const proxy = await openFailingHttp(endpoint);
        const archives = createMinioStateArchives(await accessFor('5xx', proxy.address), '5xx');
        const straight = createMinioStateArchives(await accessFor('5xx'), '5xx');
        const volume = await openStateVolume(archives);
        try {
          await volume.keeper().restore();
          proxy.share = 0.2;
          for (let n = 0; n < BURSTS; n += 1) {
            await volume.write({ big: randomBytes(4_500_000).toString('hex'), small: String(n) });
            const keeper = volume.keeper();
            for (let tries = 0; ; tries += 1) {
              const done = await keeper.sync({ final: true }).catch((thrown: unknown) => {
                expect(thrown).toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
              });
              if (done !== undefined) break;
              expect(tries).toBeLessThan(60);
            }
            const wanted = await volume.tree();
            const elsewhere = await openStateVolume(straight);
            await elsewhere.keeper().restore();
            expect(await elsewhere.tree()).toEqual(wanted);
            await elsewhere.close();
          }
          expect(proxy.failed).toBeGreaterThan(0);
          proxy.share = 0;
          await volume.write({ small: 'last' });
          await volume.keeper().sync({ final: true });
          await sleep(500);
          expect(await unfinished('5xx')).toBe(0);
        } finally {
          await volume.close();
          await proxy.close();
        }
      },
    );

    it('R12: 10 kB/s: what moves is not given up', { timeout: 120_000 }, async () => {
      const proxy = await openSlowProxy(endpoint, 10_000);
      const archives = createMinioStateArchives(await accessFor('slow', proxy.address), 'slow');
      const volume = await openStateVolume(archives);
      try {
        await volume.keeper().restore();
        await volume.write({ key: randomBytes(1_000 * SLOW_KB).toString('latin1') });
        expect(await volume.keeper().sync({ final: true })).toMatchObject({ status: 'synced' });
      } finally {
        await volume.close();
        await proxy.close();
      }
    });

    it(
      'R12: half open: given up in time, said as an outage, and nothing is left unfinished',
      { timeout: 120_000 },
      async () => {
        const proxy = await openTcpProxy(endpoint);
        const volume = await openStateVolume(
          createMinioStateArchives(await accessFor('frozen', proxy.address), 'frozen'),
        );
        try {
          await volume.keeper().restore();
          await volume.write({ key: 'x', big: randomBytes(4_500_000).toString('hex') });
          proxy.freeze();
          const begun = performance.now();
          await expect(volume.keeper().sync({ final: true })).rejects.toMatchObject({ code: 'ARCHIVE_UNAVAILABLE' });
          expect(performance.now() - begun).toBeLessThan(60_000);
          proxy.restore();
          expect(await volume.keeper().sync({ final: true })).toMatchObject({ status: 'synced' });
          expect(await unfinished('frozen')).toBe(0);
        } finally {
          await volume.close();
          await proxy.close();
        }
      },
    );
  });
}
