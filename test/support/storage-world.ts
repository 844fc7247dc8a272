/** A spine whose archive store is a real MinIO behind a proxy that containers reach too, and hands to look into both. */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Client } from 'minio';
import { extract, pack } from 'tar-stream';
import { readSmallFile } from '../../src/adapters/docker/small-file.ts';
import { createMinioArchives } from '../../src/adapters/minio/minio-archives.ts';
import { createMinioStoreAccess } from '../../src/adapters/minio/store-access.ts';
import { volumeName } from '../../src/domain/naming.ts';
import { parseSnapshot, snapshotText, type SnapshotId } from '../../src/domain/sync-report.ts';
import type { Asked } from '../../src/ports/spec-store.ts';
import type { StoreAccessSource } from '../../src/ports/store-access-source.ts';
import { until } from '../../scripts/until.ts';
import { hostAddress } from './host-address.ts';
import { asked, docker, IMAGE, startSpine, type Spine, type SpineOptions } from './spine.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

const { MINIO_ENDPOINT = '', MINIO_ACCESS_KEY = '', MINIO_SECRET_KEY = '' } = process.env;

export interface StorageWorld {
  readonly spine: Spine;
  readonly proxy: TcpProxy;
  asked(): Asked;
  /** Waits until something of the bot is stored. */
  synced(id: string): Promise<void>;
  /** All output of the bot's newest container. */
  printed(id: string): Promise<string>;
  snapshots(id: string): Promise<readonly SnapshotId[]>;
  newest(id: string): Promise<SnapshotId | undefined>;
  /** Content of a file in the newest snapshot, undefined when it is not in it. */
  inStore(id: string, path: string): Promise<string | undefined>;
  onVolume(id: string, path: string): Promise<string | undefined>;
  /** The newest snapshot in which the file holds this text. */
  holding(id: string, path: string, text: string): Promise<SnapshotId>;
  /** Held against its manifest. @throws Error when it is not what that says */
  verify(id: string, snapshot: SnapshotId): Promise<void>;
  damage(id: string, snapshot: SnapshotId, how: 'flip' | 'truncate' | 'remove' | 'schema'): Promise<void>;
  /** As the reference's API does it: the archive with only `.the0-state` in it. */
  editOutside(id: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** `state.tar.gz` as somebody else wrote it, and a file of the one that is there. */
  putLegacy(id: string, archive: Buffer): Promise<void>;
  legacyFile(id: string, path: string): Promise<string | undefined>;
  /** All lines of all days, in order. */
  storedLog(id: string): Promise<readonly string[]>;
  /** The host is lost. Only for a bot without a container. */
  dropVolumes(id: string): Promise<void>;
  /** Of one bot. */
  unfinishedUploads(id: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

const filesOf = (tarGz: Buffer): Promise<Map<string, string>> =>
  new Promise((resolve, reject) => {
    const files = new Map<string, string>();
    const tar = extract();
    tar.on('entry', (header, stream, next) => {
      void buffer(stream).then((content) => {
        if (header.type === 'file') files.set(header.name.replace(/^\.\//, ''), content.toString());
        next();
      }, reject);
    });
    tar.on('finish', () => {
      resolve(files);
    });
    tar.on('error', reject);
    tar.end(gunzipSync(tarGz));
  });

/** Content of one file of a volume, through a container that is never started. */
const readVolume = async (volume: string, path: string): Promise<string | undefined> => {
  const container = await docker.createContainer({
    Image: IMAGE,
    HostConfig: { Mounts: [{ Type: 'volume', Source: volume, Target: '/state', ReadOnly: true }] },
  });
  try {
    return await readSmallFile(container, `/state/${path}`);
  } catch {
    return undefined;
  } finally {
    await container.remove({ force: true, v: true });
  }
};

export interface WorldOptions extends SpineOptions {
  /** Puts something between who asks for keys and who gives them. */
  readonly wrapAccess?: (source: StoreAccessSource) => StoreAccessSource;
}

export const openStorageWorld = async ({
  wrapAccess = (source) => source,
  ...options
}: WorldOptions = {}): Promise<StorageWorld> => {
  const proxy = await openTcpProxy(MINIO_ENDPOINT, '0.0.0.0');
  const suffix = createHash('sha256').update(String(Math.random())).digest('hex').slice(0, 8);
  const buckets = {
    code: `code-${suffix}`,
    state: `state-${suffix}`,
    logs: `logs-${suffix}`,
    queryResults: `results-${suffix}`,
  };
  const keys = { accessKey: MINIO_ACCESS_KEY, secretKey: MINIO_SECRET_KEY };
  const through = { endpoint: proxy.address, useSsl: false, ...keys };
  const archives = createMinioArchives({ ...through, buckets });
  await archives.ensureBuckets();
  const access = wrapAccess(
    createMinioStoreAccess({
      ...through,
      containerEndpoint: `${await hostAddress()}:${String(proxy.port)}`,
      buckets,
      shared: false,
    }),
  );
  const spine = await startSpine({ resyncIntervalMs: 2_000, ...options, archives, access });
  const [endPoint = '', port] = MINIO_ENDPOINT.split(':');
  const s3 = new Client({ endPoint, port: Number(port), useSSL: false, ...keys });
  const number = (value: number): string => String(value).padStart(10, '0');
  const keyOf = (id: string, { attempt, sequence }: SnapshotId, end: string): string =>
    `${id}/a${number(attempt)}/s${number(sequence)}.${end}`;
  const get = async (key: string): Promise<Buffer> => buffer(await s3.getObject(buckets.state, key));
  const put = async (key: string, content: Buffer): Promise<void> => {
    await s3.putObject(buckets.state, key, content, content.length);
  };
  const keysOf = async (bucket: string, prefix: string): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { name } of s3.listObjectsV2(bucket, prefix, true) as AsyncIterable<{ name: string }>)
      keys.push(name);
    return keys;
  };
  const incarnationOf = (id: string): number => spine.drover.states.folds().get(id)?.state.context.incarnation ?? 1;
  const volume = (id: string, role: 'state' | 'the0'): string =>
    volumeName({ install: spine.install, id, incarnation: incarnationOf(id), role, of: 'bot' });

  const self: StorageWorld = {
    spine,
    proxy,
    asked,
    async snapshots(id) {
      const found = (await keysOf(buckets.state, `${id}/a`)).flatMap((key) => {
        const parts = /\/a0*(\d+)\/s0*(\d+)\.json$/.exec(key);
        const snapshot = parts === null ? undefined : parseSnapshot(`a${parts[1] ?? ''}/s${parts[2] ?? ''}`);
        return snapshot === undefined ? [] : [snapshot];
      });
      return found.sort((a, b) => a.attempt - b.attempt || a.sequence - b.sequence);
    },
    newest: async (id) => (await self.snapshots(id)).at(-1),
    async synced(id) {
      const otherwise = async (): Promise<string> => `nothing of ${id} is stored: ${await self.printed(id)}`;
      await until(() => self.newest(id), { every: 100, otherwise });
    },
    async printed(id) {
      const [container] = await spine.containers(id);
      if (container === undefined) return '';
      const output = await docker
        .getContainer(container.Id)
        .logs({ stdout: true, stderr: true })
        .catch((error: unknown) => {
          // The next attempt took its place since the look.
          if ((error as { statusCode?: number }).statusCode === 404) return '';
          throw error;
        });
      return output.toString('utf8');
    },
    async inStore(id, path) {
      const newest = await self.newest(id);
      return newest === undefined ? undefined : (await filesOf(await get(keyOf(id, newest, 'tar.gz')))).get(path);
    },
    onVolume: (id, path) => readVolume(volume(id, 'state'), path),
    async holding(id, path, text) {
      for (const snapshot of [...(await self.snapshots(id))].reverse()) {
        const files = await filesOf(await get(keyOf(id, snapshot, 'tar.gz')));
        if (files.get(path) === text) return snapshot;
      }
      throw new Error(`no snapshot of ${id} holds ${text}`);
    },
    async verify(id, snapshot) {
      const manifest = JSON.parse((await get(keyOf(id, snapshot, 'json'))).toString()) as {
        sha256: string;
        size: number;
      };
      const content = await get(keyOf(id, snapshot, 'tar.gz'));
      const sha256 = createHash('sha256').update(content).digest('hex');
      if (sha256 !== manifest.sha256 || content.length !== manifest.size) {
        throw new Error(`${snapshotText(snapshot)} is not what its manifest says`);
      }
      await filesOf(content);
    },
    async damage(id, snapshot, how) {
      const key = keyOf(id, snapshot, 'tar.gz');
      const content = await get(key);
      if (how === 'remove') return s3.removeObject(buckets.state, key);
      if (how === 'truncate') return put(key, content.subarray(0, content.length - 20));
      if (how === 'flip') {
        content[Math.floor(content.length / 2)] = (content[Math.floor(content.length / 2)] ?? 0) ^ 0xff;
        return put(key, content);
      }
      const manifest = JSON.parse((await get(keyOf(id, snapshot, 'json'))).toString()) as object;
      return put(keyOf(id, snapshot, 'json'), Buffer.from(JSON.stringify({ ...manifest, schema: 99 })));
    },
    async editOutside(id, files) {
      const tar = pack();
      for (const [name, text] of Object.entries(files)) tar.entry({ name }, text);
      tar.finalize();
      await put(`${id}/state.tar.gz`, gzipSync(await buffer(tar)));
    },
    putLegacy: (id, archive) => put(`${id}/state.tar.gz`, archive),
    legacyFile: async (id, path) => (await filesOf(await get(`${id}/state.tar.gz`))).get(path),
    async storedLog(id) {
      const days = (await keysOf(buckets.logs, `logs/${id}/`)).filter((key) => key.endsWith('.log')).sort();
      const texts = await Promise.all(days.map(async (key) => buffer(await s3.getObject(buckets.logs, key))));
      return Buffer.concat(texts).toString('utf8').split('\n').filter(Boolean);
    },
    async dropVolumes(id) {
      for (const role of ['state', 'the0'] as const) {
        // The engine lets go of a volume a moment after the container that had it.
        let refusal: unknown;
        const isGone = (): Promise<boolean> =>
          docker
            .getVolume(volume(id, role))
            .remove()
            .then(
              () => true,
              (thrown: unknown) => {
                refusal = thrown;
                return false;
              },
            );
        await until(isGone, { every: 200, otherwise: () => String(refusal) });
      }
    },
    async unfinishedUploads(id) {
      const found: string[] = [];
      for (const [bucket, prefix] of [
        [buckets.state, `${id}/`],
        [buckets.logs, `logs/${id}/`],
      ] as const) {
        for await (const { key } of s3.listIncompleteUploads(bucket, prefix, true) as AsyncIterable<{ key: string }>)
          found.push(key);
      }
      return found;
    },
    async close() {
      proxy.restore();
      proxy.loseAnswers = 0;
      await spine.end();
      for (const bucket of Object.values(buckets)) {
        for (const key of await keysOf(bucket, '')) await s3.removeObject(bucket, key);
        await s3.removeBucket(bucket);
      }
      await proxy.close();
    },
  };
  return self;
};
