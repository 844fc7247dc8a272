/** R12 and kills: a bot's state goes into a real MinIO that is slow, away, or has too much to do. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { createMinioStateArchives } from '../../src/adapters/minio/bot-state.ts';
import type { S3Access } from '../../src/domain/store-access.ts';
import type { StateArchives } from '../../src/ports/state-archives.ts';
import { openFailingHttp } from '../support/failing-http.ts';
import { cases } from '../support/full.ts';
import { openSlowProxy } from '../support/slow-proxy.ts';
import { surviveKills } from '../support/state-kills.ts';
import { openStateVolume, type StateVolume } from '../support/state-volume.ts';
import { accessSourceAt, minioEnv, minioTest, noMinio } from './minio-support.ts';

const ROUNDS = cases(6, 30);
const BURSTS = cases(3, 8);
/** At 10 kB/s each takes a second, and the client gives up what has not moved for eight. */
const SLOW_KB = cases(150, 300);
const BOT = 'a-bot';
const ENDPOINT = minioEnv['MINIO_ENDPOINT'] ?? '';
const UNAVAILABLE = { code: 'ARCHIVE_UNAVAILABLE' };

/** As large when it is packed. */
const big = (): Buffer => randomBytes(4_500_000);

/** The archives of one bot in buckets of the test's own, and volumes for it. */
interface BotStore {
  readonly access: S3Access;
  /** On the straight way, or on another one. */
  at(endpoint?: string): StateArchives;
  volume(archives: StateArchives): Promise<StateVolume>;
  unfinished(): Promise<number>;
}

const it = minioTest.extend('store', async ({ client, buckets }, { onCleanup }): Promise<BotStore> => {
  const volumes: StateVolume[] = [];
  onCleanup(async () => {
    for (const volume of volumes) await volume.close();
  });
  await client.makeBucket(buckets.state);
  const access = (await accessSourceAt(buckets).accessFor(BOT)) as S3Access;
  return {
    access,
    at: (endpoint = ENDPOINT) => createMinioStateArchives({ ...access, endpoint }, BOT),
    volume: async (archives) => {
      const volume = await openStateVolume(archives);
      volumes.push(volume);
      return volume;
    },
    unfinished: async () => (await client.listIncompleteUploadsQuery(buckets.state, '', '', '', '')).uploads.length,
  };
});

// They wait for timeouts and slow links most of the time.
describe.skipIf(noMinio !== undefined).concurrent(noMinio ?? 'a bot’s state in MinIO', () => {
  it(
    'a kill at any moment of a restore or a sync leaves a whole state, and the right one',
    { timeout: 300_000 },
    async ({ store }) => {
      const broken = await surviveKills({ rounds: ROUNDS, access: store.access, botId: BOT, archives: store.at() });
      expect(broken).toBeGreaterThan(ROUNDS / 3);
    },
  );

  it('R12: cut in the middle: no partial snapshot is seen, nothing stays unfinished, and the next sync stores all', async ({
    store,
    proxy,
    expect,
  }) => {
    const straight = store.at();
    const volume = await store.volume(store.at(proxy.address));
    const keeper = volume.keeper();
    await keeper.restore();
    // Of 9 MB: in the first part of 5 MiB, in the second one, and close to the end.
    for (const bytes of [500_000, 3_000_000, 7_000_000, 8_900_000]) {
      await volume.write({ big1: big(), big2: big() });
      const before = await straight.list();
      proxy.cutAfter(bytes);
      await expect(keeper.sync({ final: false })).rejects.toMatchObject(UNAVAILABLE);
      expect(await straight.list()).toEqual(before);
      proxy.restore();
      expect(await keeper.sync({ final: true })).toMatchObject({ status: 'synced' });
    }
    await expect.poll(store.unfinished).toBe(0);
    const wanted = await volume.tree();
    await volume.dropVolumes();
    await volume.keeper({ attempt: 2 }).restore();
    expect(await volume.tree()).toEqual(wanted);
  });

  it('R12: cut in the middle of a restore: an outage, no damage, and the volume is as it was', async ({
    store,
    proxy,
    expect,
  }) => {
    const volume = await store.volume(store.at());
    await volume.keeper().restore();
    await volume.write(Object.fromEntries([1, 2, 3, 4].map((k) => [`big${String(k)}`, big()])));
    await volume.keeper().sync({ final: true });
    const wanted = await volume.tree();
    await volume.dropVolumes();
    await volume.write({ '.the0-state/found': 'here' });
    const before = await volume.tree();
    const archives = store.at(proxy.address);
    // Of 18 MB: what lies in the buffers of sockets by then is less than what was unpacked.
    proxy.cutAfter(14_000_000);
    await expect(volume.keeper({ attempt: 2, archives }).restore()).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    expect(await readdir(join(volume.statePath, '.drover-restore/new'))).not.toEqual([]);
    const { '.drover-restore/': _work, ...left } = await volume.tree();
    expect(Object.fromEntries(Object.entries(left).filter(([path]) => !path.startsWith('.drover-restore')))).toEqual(
      before,
    );
    proxy.restore();
    await volume.keeper({ attempt: 3, archives }).restore();
    expect(await volume.tree()).toEqual(wanted);
  });

  it(
    'R12: 5xx in bursts: retried by whoever syncs, never a partial or a wrong snapshot',
    { timeout: 300_000 },
    async ({ store, expect, onTestFinished }) => {
      const proxy = await openFailingHttp(ENDPOINT);
      onTestFinished(proxy.close);
      const volume = await store.volume(store.at(proxy.address));
      await volume.keeper().restore();
      for (let n = 0; n < BURSTS; n += 1) {
        await volume.write({ big: big(), small: String(n) });
        const keeper = volume.keeper();
        // Each try meets fewer of them: a burst comes to its end.
        for (proxy.share = 0.3; ; proxy.share *= 0.7) {
          const done = await keeper.sync({ final: true }).catch((thrown: unknown) => {
            expect(thrown).toMatchObject(UNAVAILABLE);
          });
          if (done !== undefined) break;
        }
        const wanted = await volume.tree();
        const elsewhere = await store.volume(store.at());
        await elsewhere.keeper().restore();
        expect(await elsewhere.tree()).toEqual(wanted);
      }
      expect(proxy.failed).toBeGreaterThan(0);
      proxy.share = 0;
      await volume.write({ small: 'last' });
      await volume.keeper().sync({ final: true });
      await expect.poll(store.unfinished).toBe(0);
    },
  );

  it('R12: 10 kB/s: what moves is not given up', { timeout: 120_000 }, async ({ store, onTestFinished }) => {
    const proxy = await openSlowProxy(ENDPOINT, 10_000);
    onTestFinished(proxy.close);
    const volume = await store.volume(store.at(proxy.address));
    await volume.keeper().restore();
    await volume.write({ key: randomBytes(1_000 * SLOW_KB) });
    expect(await volume.keeper().sync({ final: true })).toMatchObject({ status: 'synced' });
  });

  it(
    'R12: half open: given up in time, said as an outage, and nothing is left unfinished',
    { timeout: 120_000 },
    async ({ store, proxy, expect }) => {
      const volume = await store.volume(store.at(proxy.address));
      await volume.keeper().restore();
      await volume.write({ key: 'x', big: big() });
      proxy.freeze();
      await expect(volume.keeper().sync({ final: true })).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringContaining('no answer within 8 s') as string,
      });
      proxy.restore();
      expect(await volume.keeper().sync({ final: true })).toMatchObject({ status: 'synced' });
      await expect.poll(store.unfinished).toBe(0);
    },
  );
});
