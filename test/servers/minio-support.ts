/** Stores over the object stores of these tests. */
import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import {
  createMinioArchives,
  type MinioArchives,
  type MinioSettings,
} from '../../src/adapters/minio/minio-archives.ts';
import { DroverError } from '../../src/domain/errors.ts';
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
  caFile: env['MINIO_CA_FILE'],
  buckets: BUCKETS,
  ...more,
});

export const storeAt = (env: Env, more: Partial<MinioSettings> = {}): MinioArchives =>
  createMinioArchives(settingsOf(env, more));

/** The package as it comes, to look behind our store's back. */
export const plainClient = (env: Env): Client => {
  const { host, port } = new URL(`http://${env['MINIO_ENDPOINT'] ?? ''}`);
  return new Client({
    endPoint: host.replace(/:\d+$/, ''),
    ...(port === '' ? {} : { port: Number(port) }),
    useSSL: env['MINIO_USE_SSL'] === 'true',
    accessKey: env['MINIO_ACCESS_KEY'] ?? '',
    secretKey: env['MINIO_SECRET_KEY'] ?? '',
  });
};

export const unfinishedUploads = async (client: Client, bucket: string): Promise<number> => {
  const { uploads } = await client.listIncompleteUploadsQuery(bucket, '', '', '', '');
  return uploads.length;
};

const namesIn = async (client: Client, bucket: string): Promise<string[]> => {
  const names: string[] = [];
  for await (const { name } of client.listObjectsV2(bucket, '', true) as AsyncIterable<{ name: string }>)
    names.push(name);
  return names;
};

/** A server that was there before us gets back what it lent. */
export const removeBuckets = async (client: Client, buckets: typeof BUCKETS): Promise<void> => {
  for (const bucket of Object.values(buckets)) {
    if (!(await client.bucketExists(bucket))) continue;
    // Of an object and those below it, MinIO lists the first one only: another look shows what it hid.
    for (let looks = 0; looks < 5; looks += 1) {
      for (const name of await namesIn(client, bucket)) await client.removeObject(bucket, name);
    }
    await client.removeBucket(bucket);
  }
};

/** Each test has buckets of its own. */
export const freshFixture = (env: Env): ArchiveStoreFixture => {
  const buckets = freshBuckets();
  const client = plainClient(env);
  return {
    store: storeAt(env, { buckets }),
    content: async (filePath) => buffer(await client.getObject(buckets.code, filePath)),
    close: () => removeBuckets(client, buckets),
  };
};

/** @throws Error when it did not fail, or not with an error of our table */
export const refusalOf = async (attempt: Promise<unknown>): Promise<DroverError> => {
  const thrown = await attempt.catch((error: unknown) => error);
  if (thrown instanceof DroverError) return thrown;
  throw new Error(`no DroverError: ${String(thrown)}`);
};
