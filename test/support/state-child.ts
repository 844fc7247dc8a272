/** A process of its own that does what a start of a bot does with its state, so that a test can kill it at any moment. */
import { createFolderStateArchives } from '../../src/adapters/embedded/folder-state-archives.ts';
import { createMinioStateArchives } from '../../src/adapters/minio/bot-state.ts';
import type { StoreAccess } from '../../src/domain/store-access.ts';
import { createStateKeeper } from '../../src/runtime/state/state-keeper.ts';

export interface ChildOrder {
  readonly access: StoreAccess;
  readonly botId: string;
  readonly attempt: number;
  readonly statePath: string;
  readonly the0Path: string;
  readonly job: 'restore' | 'sync';
}

const MIB = 1024 ** 2;
const { access, botId, job, ...rest } = JSON.parse(process.argv[2] ?? '') as ChildOrder;
const archives =
  access.kind === 'folder' ? createFolderStateArchives(access.path, botId) : createMinioStateArchives(access, botId);
const keeper = createStateKeeper({
  ...rest,
  archives,
  botId,
  incarnation: 1,
  limits: { totalBytes: 8192 * MIB, fileBytes: 10 * MIB },
  keep: 3,
  now: Date.now,
  tell: () => undefined,
});
process.stdout.write('begun\n');
if (job === 'restore') await keeper.restore();
else await keeper.sync({ final: true });
process.stdout.write('done\n');
