/** Which stores this install uses: the data folder by default, MongoDB and an S3 server where they are configured. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ARCHIVE_FOLDER, openEmbeddedStores } from './adapters/embedded/embedded-stores.ts';
import { createFolderArchiveStore } from './adapters/embedded/folder-archive-store.ts';
import { refuseFormerFolder } from './adapters/embedded/former-folder.ts';
import { folderAccess } from './adapters/embedded/folder-access.ts';
import { createMinioArchives, type MinioSettings } from './adapters/minio/minio-archives.ts';
import { createMinioStoreAccess } from './adapters/minio/store-access.ts';
import { openMongoStores } from './adapters/mongo/mongo-stores.ts';
import type { Config } from './config.ts';
import type { ArchiveStore } from './ports/archive-store.ts';
import type { DeadLetterStore } from './ports/dead-letter-store.ts';
import type { EventStore } from './ports/event-store.ts';
import type { Offices } from './ports/leadership.ts';
import type { Logger } from './ports/logger.ts';
import type { SnapshotStore } from './ports/snapshot-store.ts';
import type { ScheduleStore, SpecStore } from './ports/spec-store.ts';
import type { StoreAccessSource } from './ports/store-access-source.ts';

export interface Stores {
  readonly events: EventStore;
  readonly specs: SpecStore;
  readonly schedules: ScheduleStore;
  readonly snapshots: SnapshotStore;
  readonly deadLetters: DeadLetterStore;
  readonly offices: Offices;
  readonly archives: ArchiveStore;
  /** Keys for the bots' own parts of it. */
  readonly access: StoreAccessSource;
  /** Where documents and log, and where archives lie; for people. */
  /** Rejects when nothing can be written where the log is; absent where only the store itself can tell. */
  readonly writable?: () => Promise<void>;
  readonly places: { readonly data: string; readonly archives: string };
  close(): Promise<void>;
}

/** Two processes never share one, also not in containers that share a host's name and count from 1. */
export const writerName = (): string => `${hostname()}/${String(process.pid)}/${randomBytes(2).toString('hex')}`;

/** Undefined where archives lie in the data folder. */
export const minioSettings = (config: Config): MinioSettings | undefined => {
  const { minioEndpoint, minioAccessKey = '', minioSecretKey = '', minioCaFile } = config;
  if (minioEndpoint === undefined) return undefined;
  return {
    endpoint: minioEndpoint,
    accessKey: minioAccessKey,
    secretKey: minioSecretKey,
    useSsl: config.minioUseSsl,
    ...(minioCaFile === undefined ? {} : { caFile: minioCaFile }),
    buckets: {
      code: config.minioCodeBucket,
      state: config.minioStateBucket,
      logs: config.minioLogsBucket,
      queryResults: config.minioQueryResultsBucket,
    },
  };
};

const objectStore = (config: Config): ArchiveStore | undefined => {
  const settings = minioSettings(config);
  return settings === undefined ? undefined : createMinioArchives(settings);
};

const accessSource = (config: Config): StoreAccessSource => {
  const { minioEndpoint, minioAccessKey = '', minioSecretKey = '', minioCaFile } = config;
  if (minioEndpoint === undefined) return folderAccess;
  return createMinioStoreAccess({
    endpoint: minioEndpoint,
    containerEndpoint: config.minioContainerEndpoint ?? minioEndpoint,
    accessKey: minioAccessKey,
    secretKey: minioSecretKey,
    useSsl: config.minioUseSsl,
    ...(minioCaFile === undefined ? {} : { caFile: minioCaFile }),
    buckets: { state: config.minioStateBucket, logs: config.minioLogsBucket },
    shared: config.storeCredentials === 'shared',
    lifetimeMs: config.storeKeyLifetime,
  });
};

/** @throws DroverError STORE_UNAVAILABLE for a server that may answer later; what the data folder throws; CONFIG_INVALID */
export const openStores = async (config: Config, logger: Logger): Promise<Stores> => {
  const { mongoUri, dataDir, installId } = config;
  const writer = writerName();
  const now = (): number => Date.now();
  const install = installId === undefined ? {} : { installId };
  const objects = objectStore(config);
  const usesFolder = mongoUri === undefined || objects === undefined;
  if (usesFolder && config.origins.dataDir === 'default') refuseFormerFolder(dataDir);
  const folder = join(dataDir, ARCHIVE_FOLDER);
  const archivesAt = objects === undefined ? folder : `${config.minioEndpoint ?? ''}/${config.minioCodeBucket}`;
  if (mongoUri === undefined) {
    const stores = await openEmbeddedStores({ dataDir, writer, now, ...install });
    return {
      ...stores,
      access: accessSource(config),
      archives: objects ?? stores.archives,
      places: { data: dataDir, archives: archivesAt },
    };
  }
  const { mongoDatabase: database, mongoBotsDatabase: botsDatabase } = config;
  const schedulesDatabase = config.mongoSchedulerDatabase;
  const archives = objects ?? (await createFolderArchiveStore(folder));
  const stores = await openMongoStores({
    uri: mongoUri,
    database,
    botsDatabase,
    schedulesDatabase,
    writer,
    logger,
    now,
    ...install,
  });
  return { ...stores, access: accessSource(config), archives, places: { data: stores.address, archives: archivesAt } };
};
