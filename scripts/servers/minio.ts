/** An object store for tests: the one the environment names, else MinIO of our own, else the npm package s3rver. */
import { thisMachine, type Machine } from '../machine.ts';
import { goTool } from './go-tool.ts';
import { S3RVER_KEY, startOwnMinio, startOwnS3rver, type OwnObjectStore } from './minio-process.ts';
import { NoServer, wordOf, type Progress, type TestServer } from './test-server.ts';

/** The last version that was published; its repository is closed. */
const VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';

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

/** @throws NoServer with what was tried */
export const findMinio = (progress: Progress, machine: Machine = thisMachine): Promise<string> =>
  goTool({ name: 'minio', module: 'github.com/minio/minio', version: VERSION, progress, machine });

/** MinIO and nothing in its place. @throws NoServer */
export const startRealMinio = async ({ progress, certsDir }: Told): Promise<OwnObjectStore> => {
  const path = await findMinio(progress).catch((thrown: unknown) => {
    throw new NoServer(`MinIO: ${wordOf(thrown)}`, { cause: thrown });
  });
  return startOwnMinio(path, certsDir);
};

/** The line for when there is no s3rver either. */
export const noObjectStore = (why: unknown): string =>
  `MinIO: ${wordOf(why).replace(/^MinIO: /, '')}, no npm package s3rver → install minio or Go, or set MINIO_ENDPOINT`;

/** One that tests may end, freeze and start again: MinIO, else s3rver. @throws NoServer */
export const startOwnObjectStore = async (told: Told): Promise<OwnObjectStore> => {
  try {
    return await startRealMinio(told);
  } catch (thrown) {
    const s3rver = await startOwnS3rver(told.certsDir);
    if (s3rver === undefined) throw new NoServer(noObjectStore(thrown), { cause: thrown });
    return { ...s3rver, instead: { of: 'MinIO', why: wordOf(thrown).replace(/^MinIO: /, '') } };
  }
};

/** @throws NoServer */
export const startMinio = async (told: { readonly progress: Progress }): Promise<TestServer> =>
  named() ?? startOwnObjectStore(told);
