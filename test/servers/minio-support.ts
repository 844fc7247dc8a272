/** Stores over the object stores of these tests. */
import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { Client } from 'minio';
import { test } from 'vitest';
import { S3RVER_KEY } from '../../scripts/servers/minio-process.ts';
import {
  createMinioArchives,
  type MinioArchives,
  type MinioSettings,
} from '../../src/adapters/minio/minio-archives.ts';
import { DroverError } from '../../src/domain/errors.ts';
import { createMinioStoreAccess } from '../../src/adapters/minio/store-access.ts';
import type { ArchiveStoreFixture } from '../contract/archive-store-contract.ts';
import { openTcpProxy } from '../support/tcp-proxy.ts';

type Env = Readonly<Record<string, string>>;

const { MINIO_ENDPOINT = '', MINIO_ACCESS_KEY = '', MINIO_SECRET_KEY = '', MINIO_USE_SSL, MINIO_CA_FILE } = process.env;

/** The worker's object store (test/setup/worker.ts). */
export const minioEnv: Env = {
  MINIO_ENDPOINT,
  MINIO_ACCESS_KEY,
  MINIO_SECRET_KEY,
  MINIO_USE_SSL: MINIO_USE_SSL ?? 'false',
  ...(MINIO_CA_FILE === undefined ? {} : { MINIO_CA_FILE }),
};
/** Undefined, or why there is no object store at all; the end of the run says more. */
export const noStore = MINIO_ENDPOINT === '' ? 'no object store' : undefined;
export const isS3rver = MINIO_ACCESS_KEY === S3RVER_KEY;
/** Undefined, or why there is none that does what only MinIO does. */
export const noMinio = noStore ?? (isS3rver ? 'no MinIO: s3rver stands in for it' : undefined);

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

const LOOKS = 5;

/** A server that was there before us gets back what it lent. */
export const removeBuckets = async (client: Client, buckets: typeof BUCKETS): Promise<void> => {
  const remove = async (bucket: string): Promise<void> => {
    if (!(await client.bucketExists(bucket))) return;
    // Of an object and those below it, MinIO lists the first one only: another look shows what it hid.
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const names = await namesIn(client, bucket);
      if (names.length === 0) break;
      await Promise.all(names.map((name) => client.removeObject(bucket, name)));
    }
    await client.removeBucket(bucket);
  };
  await Promise.all(Object.values(buckets).map(remove));
};

/** On the worker's object store: buckets that the test makes or lets make, a client that sees all, and a way there that breaks. */
export const minioTest = test
  .extend('client', () => plainClient(minioEnv))
  .extend('buckets', ({ client }, { onCleanup }) => {
    const buckets = freshBuckets();
    // s3rver cannot remove all that it keeps; its data goes with it.
    if (!isS3rver) onCleanup(() => removeBuckets(client, buckets));
    return buckets;
  })
  /** Signatures are for the address that is asked: give it to the store as its endpoint. */
  .extend('proxy', async ({}, { onCleanup }) => {
    const proxy = await openTcpProxy(MINIO_ENDPOINT);
    onCleanup(proxy.close);
    return proxy;
  });

/** Gives keys for a bot, limited to its own part unless they are shared. */
export const accessSourceAt = (
  buckets: typeof BUCKETS,
  { endpoint = MINIO_ENDPOINT, secretKey = MINIO_SECRET_KEY, shared = false } = {},
) =>
  createMinioStoreAccess({
    endpoint,
    containerEndpoint: endpoint,
    useSsl: minioEnv['MINIO_USE_SSL'] === 'true',
    accessKey: MINIO_ACCESS_KEY,
    secretKey,
    buckets,
    shared,
  });

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
