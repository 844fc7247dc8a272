/** Ships without end. Arguments: folder of bot.log, and JSON: where to. Prints each report. */
import { createFolderLogArchives } from '../../../src/adapters/embedded/folder-log-archives.ts';
import type { StoreAccess } from '../../../src/domain/store-access.ts';
import { createLogShipper } from '../../../src/runtime/logs/ship-logs.ts';
import { BOT } from '../log-folder.ts';

const [logsPath = '', access = '{}'] = process.argv.slice(2);
const to = JSON.parse(access) as StoreAccess;
const archives =
  to.kind === 'folder'
    ? createFolderLogArchives(to.path, BOT)
    : (await import('../../../src/adapters/minio/bot-logs.ts')).createMinioLogArchives(to, BOT);
const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const shipper = createLogShipper({ archives, logsPath, botId: BOT, now: Date.now, tell });
for (;;) {
  const report = await shipper.ship({ final: false });
  process.stdout.write(`${JSON.stringify(report)}\n`);
  await new Promise((resolve) => setTimeout(resolve, 2));
}
