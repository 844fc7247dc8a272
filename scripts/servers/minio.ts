/** An object store for tests: the one the environment names, else MinIO of our own, else the npm package s3rver. */
import { goTool } from './go-tool.ts';
import { S3RVER_KEY, startOwnMinio, startOwnS3rver, type OwnObjectStore } from './minio-process.ts';
import { NoServer, wordOf, type Progress, type TestServer } from './test-server.ts';

/** The last version that was published; its repository is closed. */
const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';
const NO_MINIO = 'no `minio` on PATH, and no `go` that could build it';

interface Told {
  readonly progress: Progress;
  /** Folder with `public.crt` and `private.key`: it shall speak TLS. */
  readonly certsDir?: string;
}

const named = (): TestServer | undefined => {
  const { MINIO_ENDPOINT, MINIO_ACCESS_KEY, MINIO_SECRET_KEY, MINIO_USE_SSL, MINIO_CA_FILE } = process.env;
  if (MINIO_ENDPOINT === undefined || MINIO_ENDPOINT === '') return undefined;
  const isS3rver = MINIO_ACCESS_KEY === S3RVER_KEY;
  return {
    how: `${isS3rver ? 's3rver' : 'MinIO'} at MINIO_ENDPOINT ${MINIO_ENDPOINT}`,
    env: {
      MINIO_ENDPOINT,
      MINIO_ACCESS_KEY: MINIO_ACCESS_KEY ?? '',
      MINIO_SECRET_KEY: MINIO_SECRET_KEY ?? '',
      MINIO_USE_SSL: MINIO_USE_SSL ?? 'false',
      ...(MINIO_CA_FILE === undefined || MINIO_CA_FILE === '' ? {} : { MINIO_CA_FILE }),
    },
    ...(isS3rver ? { instead: { of: 'MinIO', why: 'MINIO_ENDPOINT names it' } } : {}),
    stop: () => Promise.resolve(),
  };
};

const findMinio = (progress: Progress): Promise<string | undefined> =>
  goTool({ name: 'minio', module: 'github.com/minio/minio', version: VERSION, progress });

/** MinIO and nothing in its place. @throws NoServer */
export const startRealMinio = async ({ progress, certsDir }: Told): Promise<OwnObjectStore> => {
  const path = await findMinio(progress);
  if (path === undefined) throw new NoServer(`MinIO: ${NO_MINIO}`);
  return startOwnMinio(path, certsDir);
};

/** One that tests may end, freeze and start again: MinIO, else s3rver. @throws NoServer */
export const startOwnObjectStore = async (told: Told): Promise<OwnObjectStore> => {
  try {
    return await startRealMinio(told);
  } catch (thrown) {
    const s3rver = await startOwnS3rver(told.certsDir);
    if (s3rver === undefined) throw new NoServer(`${wordOf(thrown)}; no npm package s3rver either`, { cause: thrown });
    return { ...s3rver, instead: { of: 'MinIO', why: wordOf(thrown).replace(/^MinIO: /, '') } };
  }
};

/** @throws NoServer */
export const startMinio = async (told: { readonly progress: Progress }): Promise<TestServer> =>
  named() ?? startOwnObjectStore(told);
