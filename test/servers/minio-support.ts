/** Stores over the object stores of these tests. */
import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import {
  createMinioArchives,
  type MinioArchives,
  type MinioSettings,
} from '../../src/adapters/minio/minio-archives.ts';
import { NoServer } from '../../scripts/servers/test-server.ts';
import type { ArchiveStoreFixture } from '../contract/archive-store-contract.ts';

type Env = Readonly<Record<string, string>>;

export const BUCKETS = { code: 'custom-bots', state: 'bot-state', logs: 'bot-logs', queryResults: 'query-results' };

/** Four bucket names that nobody has used yet. */
export const freshBuckets = (): typeof BUCKETS => {
  const id = randomUUID().slice(0, 8);
  return { code: `code-${id}`, state: `state-${id}`, logs: `logs-${id}`, queryResults: `results-${id}` };
};

export const settingsOf = (env: Env, more: Partial<MinioSettings> = {}): MinioSettings => ({
  endpoint: env['MINIO_ENDPOINT'] ?? '',
  accessKey: env['MINIO_ACCESS_KEY'] ?? '',
  secretKey: env['MINIO_SECRET_KEY'] ?? '',
  useSsl: env['MINIO_USE_SSL'] === 'true',
  buckets: BUCKETS,
  ...more,
});

export const storeAt = (env: Env, more: Partial<MinioSettings> = {}): MinioArchives =>
  createMinioArchives(settingsOf(env, more));

/** The package as it comes, to look behind our store's back. */
export const plainClient = (env: Env): Client => {
  const [host = '', port] = (env['MINIO_ENDPOINT'] ?? '').split(':');
  return new Client({
    endPoint: host,
    port: Number(port),
    useSSL: false,
    accessKey: env['MINIO_ACCESS_KEY'] ?? '',
    secretKey: env['MINIO_SECRET_KEY'] ?? '',
  });
};

export const unfinishedUploads = async (client: Client, bucket: string): Promise<number> => {
  const { uploads } = await client.listIncompleteUploadsQuery(bucket, '', '', '', '');
  return uploads.length;
};

/** Each test has buckets of its own. */
export const freshFixture = (env: Env): ArchiveStoreFixture => {
  const buckets = freshBuckets();
  const client = plainClient(env);
  return {
    store: storeAt(env, { buckets }),
    content: async (filePath) => buffer(await client.getObject(buckets.code, filePath)),
    close: () => Promise.resolve(),
  };
};

/** What was started, or the one line that says why there is none. */
export const startOr = async <T>(start: () => Promise<T>): Promise<T | string> => {
  try {
    return await start();
  } catch (thrown) {
    if (thrown instanceof NoServer) return thrown.message;
    throw thrown;
  }
};
