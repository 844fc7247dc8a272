/** Ships to the end, once, and tells by how much its memory grew. Arguments as ship-forever.ts; before it, a little is shipped. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreAccess } from '../../../src/domain/store-access.ts';
import { createFolderLogArchives } from '../../../src/adapters/embedded/folder-log-archives.ts';
import { createLogShipper } from '../../../src/runtime/logs/ship-logs.ts';
import { BOT } from '../log-folder.ts';

const [logsPath = '', access = '{}'] = process.argv.slice(2);
const to = JSON.parse(access) as StoreAccess;
const archives =
  to.kind === 'folder'
    ? createFolderLogArchives(to.path, BOT)
    : (await import('../../../src/adapters/minio/bot-logs.ts')).createMinioLogArchives(to, BOT);
const peak = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;
const shipperOf = (path: string) =>
  createLogShipper({ archives, logsPath: path, botId: BOT, now: Date.now, tell: () => undefined });
const little = mkdtempSync(join(tmpdir(), 'drover-little-'));
writeFileSync(join(little, 'bot.log'), 'a little\n');
await shipperOf(little).ship({ final: true });
rmSync(little, { recursive: true });
const before = peak();
const report = await shipperOf(logsPath).ship({ final: true });
process.stdout.write(JSON.stringify({ grown: peak() - before, report }));
