/** Puts the real workers together. Everything is imported when it is needed: the S3 client alone is most of the memory. */
import { DroverError } from '../../domain/errors.ts';
import type { StoreAccess } from '../../domain/store-access.ts';
import type { LogArchives } from '../../ports/log-archives.ts';
import type { TransferConfig } from '../config.ts';
import type { LogShipperOptions } from '../logs/ship-logs.ts';
import type { LogsWorker, OpenWorkers, StateWorker } from './workers.ts';

type Make<Result> = (...given: readonly unknown[]) => Result;

/** Archives without keys: every call fails as unreachable, so that a restore may go on from the volume. */
const unreachable = (): object =>
  new Proxy(
    {},
    {
      get: (_target, name) =>
        // Not a promise: `await` asks for `then`.
        name === 'then'
          ? undefined
          : () =>
              Promise.reject(new DroverError('ARCHIVE_UNAVAILABLE', 'no keys for the archive store were delivered')),
    },
  );

const openStateArchives = async (access: StoreAccess | undefined, botId: string): Promise<object> => {
  if (access === undefined) return unreachable();
  if (access.kind === 'folder') {
    // @ts-expect-error -- part of the state work
    const folder = (await import('../../adapters/embedded/folder-state-archives.ts')) as {
      createFolderStateArchives: Make<object>;
    };
    return folder.createFolderStateArchives(access.path, botId);
  }
  // @ts-expect-error -- part of the state work
  const minio = (await import('../../adapters/minio/bot-state.ts')) as { createMinioStateArchives: Make<object> };
  return minio.createMinioStateArchives(access, botId);
};

const openLogArchives = async (access: StoreAccess | undefined, botId: string): Promise<LogArchives> => {
  if (access === undefined) return unreachable() as LogArchives;
  if (access.kind === 'folder') {
    const { createFolderLogArchives } = await import('../../adapters/embedded/folder-log-archives.ts');
    return createFolderLogArchives(access.path, botId);
  }
  const { createMinioLogArchives } = await import('../../adapters/minio/bot-logs.ts');
  return createMinioLogArchives(access, botId);
};

const openKeeper = async (options: object): Promise<StateWorker> => {
  // @ts-expect-error -- part of the state work
  const state = (await import('../state/state-keeper.ts')) as { createStateKeeper: Make<StateWorker> };
  return state.createStateKeeper(options);
};

const openShipper = async (options: LogShipperOptions): Promise<LogsWorker> =>
  (await import('../logs/ship-logs.ts')).createLogShipper(options);

export const openWorkers =
  (config: TransferConfig): OpenWorkers =>
  (access) => {
    const { botId, incarnation, attempt, statePath, the0Path, logsPath, limits, keep } = config;
    const tell = (line: string): void => {
      process.stderr.write(`drover: ${line}\n`);
    };
    const shared = { botId, now: Date.now, tell };
    // Opened by the first job that wants them: state must not wait for the logs' archives, nor fail with them.
    let keeper: Promise<StateWorker> | undefined;
    let shipper: Promise<LogsWorker> | undefined;
    const state = (): Promise<StateWorker> =>
      (keeper ??= openStateArchives(access, botId).then((archives) =>
        openKeeper({ ...shared, archives, incarnation, attempt, statePath, the0Path, limits, keep }),
      ));
    const logs = (): Promise<LogsWorker> =>
      (shipper ??= openLogArchives(access, botId).then((archives) => openShipper({ ...shared, archives, logsPath })));
    return Promise.resolve({
      state: {
        restore: async () => (await state()).restore(),
        sync: async (options) => (await state()).sync(options),
      },
      logs: { ship: async (options) => (await logs()).ship(options) },
    });
  };
