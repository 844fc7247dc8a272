/** An object store for tests: the one the environment names, else MinIO of our own, else the npm package s3rver. */
import { goTool } from './go-tool.ts';
import { startOwnMinio, startOwnS3rver, type OwnObjectStore } from './minio-process.ts';
import { NoServer, type Progress, type TestServer } from './test-server.ts';

/** The last version that was published; its repository is closed. */
const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';

export interface MinioOptions {
  readonly progress: Progress;
  /** Never the one the environment names: this test ends it, or looks into its files. */
  readonly own?: boolean;
  readonly tls?: { readonly certsDir: string };
}

const named = (): TestServer | undefined => {
  const { MINIO_ENDPOINT, MINIO_ACCESS_KEY, MINIO_SECRET_KEY, MINIO_USE_SSL } = process.env;
  if (MINIO_ENDPOINT === undefined || MINIO_ENDPOINT === '') return undefined;
  return {
    how: `object store at MINIO_ENDPOINT ${MINIO_ENDPOINT}`,
    env: {
      MINIO_ENDPOINT,
      MINIO_ACCESS_KEY: MINIO_ACCESS_KEY ?? '',
      MINIO_SECRET_KEY: MINIO_SECRET_KEY ?? '',
      MINIO_USE_SSL: MINIO_USE_SSL ?? 'false',
    },
    stop: () => Promise.resolve(),
  };
};

export const findMinio = (progress: Progress): Promise<string | undefined> =>
  goTool({ name: 'minio', module: 'github.com/minio/minio', version: VERSION, progress });

/** A MinIO that tests may end, freeze and start again. @throws NoServer */
export const startFaultyMinio = async (progress: Progress): Promise<OwnObjectStore> => {
  const path = await findMinio(progress);
  if (path === undefined) throw new NoServer('MinIO: no `minio` on PATH, and no `go` that could build it');
  return startOwnMinio(path);
};

/** @throws NoServer */
export const startMinio = async ({ progress, own, tls }: MinioOptions): Promise<TestServer> => {
  const given = own === true || tls !== undefined ? undefined : named();
  if (given !== undefined) return given;
  const path = await findMinio(progress);
  if (path !== undefined) return startOwnMinio(path, tls?.certsDir);
  const instead = await startOwnS3rver(tls?.certsDir);
  if (instead !== undefined) return instead;
  throw new NoServer('object store: no `minio` on PATH, no `go` that could build it, no npm package s3rver');
};
