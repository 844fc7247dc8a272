/** A volume with a log, and an archive in a folder, for tests of what `execute` writes and the shipper ships. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFolderLogArchives } from '../../src/adapters/embedded/folder-log-archives.ts';
import type { LogArchives } from '../../src/ports/log-archives.ts';
import { createLogShipper, type LogShipper } from '../../src/runtime/logs/ship-logs.ts';

export const BOT = 'bot-1';

export interface StoredLine {
  readonly timestamp: string;
  readonly message: string;
}

export const openLogFolder = () => {
  const root = mkdtempSync(join(tmpdir(), 'drover-logs-'));
  const logsPath = join(root, 'logs');
  const archive = join(root, 'archive');
  mkdirSync(logsPath);
  const folder = join(archive, 'logs', BOT);
  const days = (): string[] => {
    try {
      return readdirSync(folder)
        .filter((name) => name.endsWith('.log'))
        .sort();
    } catch {
      return [];
    }
  };
  const day = (name: string): string => readFileSync(join(folder, name), 'utf8');
  return {
    root,
    logsPath,
    archive,
    logFile: join(logsPath, 'bot.log'),
    days,
    day,
    /** All days, in order. */
    lines: (): StoredLine[] =>
      days().flatMap((name) =>
        day(name)
          .split('\n')
          .slice(0, -1)
          .map((line) => JSON.parse(line) as StoredLine),
      ),
    messages(): string[] {
      return this.lines().map(({ message }) => message);
    },
    shipper: (archives: LogArchives = createFolderLogArchives(archive, BOT)): LogShipper =>
      createLogShipper({ archives, logsPath, botId: BOT, now: Date.now, tell: () => undefined }),
    /** Bytes on disk. */
    used: (): number =>
      readdirSync(logsPath)
        .map((name) => statSync(join(logsPath, name)).size)
        .reduce((sum, size) => sum + size, 0),
    close: () => {
      rmSync(root, { recursive: true, force: true });
    },
  };
};
