/** A transfer process with a plain folder as its store of state: copies the tree, then renames it. Logs by the real shipper. */
import { existsSync } from 'node:fs';
import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../../../src/domain/errors.ts';
import { createFolderLogArchives } from '../../../src/adapters/embedded/folder-log-archives.ts';
import { createLogShipper } from '../../../src/runtime/logs/ship-logs.ts';
import { transfer } from '../../../src/runtime/transfer/main.ts';
import { pathsBelow } from './paths.ts';

const paths = pathsBelow(process.env['TEST_ROOT'] ?? '');

const needStore = (): void => {
  if (!existsSync(paths.store)) throw new DroverError('STORAGE_UNAVAILABLE', 'the store is away');
};

const store = async (): Promise<number> => {
  needStore();
  await writeFile(paths.worker, String(process.pid));
  while (existsSync(paths.hold)) await sleep(20);
  const next = join(paths.store, `next-${String(process.pid)}`);
  await rm(next, { recursive: true, force: true });
  await cp(paths.state, next, { recursive: true });
  await rm(join(paths.store, 'state'), { recursive: true, force: true });
  await rename(next, join(paths.store, 'state'));
  const counter = join(paths.store, 'sequence');
  const sequence = existsSync(counter) ? Number(await readFile(counter, 'utf8')) + 1 : 1;
  await writeFile(counter, String(sequence));
  return sequence;
};

const shipper = createLogShipper({
  archives: createFolderLogArchives(paths.store, 'bot'),
  logsPath: dirname(paths.log),
  botId: 'bot',
  now: Date.now,
  tell: () => undefined,
});

void transfer({
  accessFile: paths.access,
  open: () =>
    Promise.resolve({
      state: {
        restore: () => Promise.resolve({ source: 'none', storeReachable: existsSync(paths.store) } as const),
        sync: async () => ({
          status: 'synced',
          snapshot: { attempt: 1, sequence: await store() },
          at: Date.now(),
        }),
      },
      logs: {
        ship: async (options) => {
          needStore();
          while (existsSync(paths.hold)) await sleep(20);
          return shipper.ship(options);
        },
      },
    }),
}).then((code) => process.exit(code));
