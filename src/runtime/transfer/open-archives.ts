/** Puts the real workers together. Everything is imported when it is needed: the S3 client alone is most of the memory. */
import { DroverError } from '../../domain/errors.ts';
import type { StoreAccess } from '../../domain/store-access.ts';
import type { LogArchives } from '../../ports/log-archives.ts';
import type { StateArchives } from '../../ports/state-archives.ts';
import type { TransferConfig } from '../config.ts';
import type { LogsWorker, OpenWorkers, StateWorker, View } from './workers.ts';

/** Archives without keys: every call fails as unreachable, so that a restore may go on from the volume. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- it stands for whichever archives are asked for
const unreachable = <T extends object>(): T =>
  new Proxy({} as T, {
    get: (_target, name) =>
      // Not a promise: `await` asks for `then`.
      name === 'then'
        ? undefined
        : () => Promise.reject(new DroverError('ARCHIVE_UNAVAILABLE', 'no keys for the archive store were delivered')),
  });

/** `access` undefined: every call fails as unreachable. */
export const openStateArchives = async (access: StoreAccess | undefined, botId: string): Promise<StateArchives> => {
  if (access === undefined) return unreachable<StateArchives>();
  if (access.kind === 'folder') {
    const { createFolderStateArchives } = await import('../../adapters/embedded/folder-state-archives.ts');
    return createFolderStateArchives(access.path, botId);
  }
  const { createMinioStateArchives } = await import('../../adapters/minio/bot-state.ts');
  return createMinioStateArchives(access, botId);
};

const openLogArchives = async (
  access: StoreAccess | undefined,
  botId: string,
  readsOnly: string | undefined,
): Promise<LogArchives> => {
  if (access === undefined) return unreachable<LogArchives>();
  if (access.kind === 'folder') {
    const { createFolderLogArchives } = await import('../../adapters/embedded/folder-log-archives.ts');
    return createFolderLogArchives(access.path, botId, readsOnly);
  }
  const { createMinioLogArchives } = await import('../../adapters/minio/bot-logs.ts');
  return createMinioLogArchives(access, botId);
};

const tell = (line: string): void => {
  process.stderr.write(`drover: ${line}\n`);
};

export const openView =
  ({ botId, incarnation, statePath, limits }: TransferConfig): View =>
  async (source, access) => {
    const [archives, { viewState }] = await Promise.all([
      openStateArchives(access, botId),
      import('../state/view-state.ts'),
    ]);
    return viewState({ archives, incarnation, statePath, limits, tell }, source);
  };

export const openWorkers =
  (config: TransferConfig): OpenWorkers =>
  (access) => {
    const { botId, incarnation, attempt, statePath, the0Path, logsPath, limits, keep, readsOnly } = config;
    const shared = { botId, now: Date.now, tell };
    // Opened by the first job that wants them: state must not wait for the logs' archives, nor fail with them.
    let keeper: Promise<StateWorker> | undefined;
    let shipper: Promise<LogsWorker> | undefined;
    const reader = async (): Promise<StateWorker> =>
      (await import('../state/state-reader.ts')).createStateReader({ the0Path, incarnation, attempt, now: Date.now });
    const writer = (): Promise<StateWorker> =>
      openStateArchives(access, botId).then(async (archives) =>
        (await import('../state/state-keeper.ts')).createStateKeeper({
          ...shared,
          archives,
          incarnation,
          attempt,
          statePath,
          the0Path,
          limits,
          keep,
        }),
      );
    const state = (): Promise<StateWorker> => (keeper ??= readsOnly === undefined ? writer() : reader());
    const logs = (): Promise<LogsWorker> =>
      (shipper ??= openLogArchives(access, botId, readsOnly).then(async (archives) =>
        (await import('../logs/ship-logs.ts')).createLogShipper({ ...shared, archives, logsPath }),
      ));
    return Promise.resolve({
      state: {
        restore: async () => (await state()).restore(),
        sync: async (options) => (await state()).sync(options),
      },
      logs: { ship: async (options) => (await logs()).ship(options) },
    });
  };
