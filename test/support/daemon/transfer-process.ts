/** The real transfer process on folders of a test, with a store that can be away and jobs that can be made to hang. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DroverError } from '../../../src/domain/errors.ts';
import { transfer } from '../../../src/runtime/transfer/main.ts';
import { openWorkers } from '../../../src/runtime/transfer/open-archives.ts';
import { pathsBelow } from './paths.ts';

const paths = pathsBelow(process.env['TEST_ROOT'] ?? '');
const open = openWorkers({
  botId: 'bot',
  incarnation: 1,
  attempt: 1,
  statePath: paths.state,
  the0Path: paths.the0,
  logsPath: dirname(paths.log),
  limits: { totalBytes: 1024 ** 3, fileBytes: 1024 ** 2 },
  keep: 10,
  readsOnly: undefined,
});

/** A folder is made when it is missing, so a store that is away must be said to be. */
const reach = (): void => {
  if (!existsSync(paths.store)) throw new DroverError('STORAGE_UNAVAILABLE', 'the store is away');
};

/** A job of state can be held, and who does it be seen; what waits behind it are the jobs of logs. Those can be held, too. */
const ready = async (): Promise<void> => {
  reach();
  await writeFile(paths.worker, String(process.pid));
  while (existsSync(paths.hold)) await sleep(20);
};

void transfer({
  accessFile: paths.access,
  open: async (access) => {
    const { state, logs } = await open(access);
    return {
      state: {
        restore: () => state.restore(),
        sync: async (options) => {
          await ready();
          return state.sync(options);
        },
      },
      logs: {
        ship: async (options) => {
          reach();
          while (existsSync(paths.holdLogs)) await sleep(20);
          return logs.ship(options);
        },
      },
    };
  },
}).then((code) => process.exit(code));
