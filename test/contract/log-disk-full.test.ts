/** R32: the volume of a bot is full: the bot goes on, nothing half is stored, and the log goes on when there is room. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFolderLogArchives } from '../../src/adapters/embedded/folder-log-archives.ts';
import { openBotLog } from '../../src/runtime/logs/bot-log.ts';
import { createLogShipper } from '../../src/runtime/logs/ship-logs.ts';
import { BOT, openLogFolder } from '../support/log-folder.ts';

/** Mounts a file system of 1 MiB, where that is allowed. */
const mountSmall = (): string | undefined => {
  const path = mkdtempSync(join(tmpdir(), 'drover-small-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
    return path;
  } catch {
    rmSync(path, { recursive: true });
    return undefined;
  }
};

const unmount = (path: string): void => {
  execFileSync('umount', [path]);
  rmSync(path, { recursive: true });
};

const probe = mountSmall();
if (probe !== undefined) unmount(probe);

describe.skipIf(probe === undefined)(
  `a full volume${probe === undefined ? ': mounting is not allowed here' : ''}`,
  () => {
    let small: string;
    let folder: ReturnType<typeof openLogFolder>;
    beforeEach(() => {
      small = mountSmall() ?? '';
      folder = openLogFolder();
    });
    afterEach(() => {
      unmount(small);
      folder.close();
    });

    it('R32: ENOSPC on the volume never stops the bot; what was dropped is told; shipping goes on', async () => {
      const logsPath = join(small, 'logs');
      mkdirSync(logsPath);
      const log = openBotLog(join(logsPath, 'bot.log'));
      const open = () =>
        createLogShipper({
          archives: createFolderLogArchives(folder.archive, BOT),
          logsPath,
          botId: BOT,
          now: Date.now,
          tell: () => undefined,
        });
      const shipper = open();
      let printed = 0;
      const print = (count: number): void => {
        for (let n = 0; n < count; n += 1, printed += 1) log.append(`line ${String(printed).padStart(5, '0')}\n`);
      };
      print(100);
      await shipper.ship({ final: false });
      writeFileSync(join(small, 'other'), Buffer.alloc(990_000));
      // Whatever room is left is soon gone; the last piece is cut in the middle of a line.
      print(20_000);
      log.append('cut in the mid');
      const full = await shipper.ship({ final: false });
      // All that fitted is stored all the same, also by a process that finds the old cursor.
      expect(full.status === 'shipped' || full.error?.code === 'HOST_PRESSURE').toBe(true);
      await open().ship({ final: false });
      const fitted = folder.messages().length;
      expect(fitted).toBeGreaterThan(100);
      expect(fitted).toBeLessThan(20_100);
      expect(folder.messages()).toEqual(
        Array.from({ length: fitted }, (_none, index) => `line ${String(index).padStart(5, '0')}`),
      );
      const dropped = (printed - fitted) * 11 + 'cut in the middle\n'.length;

      rmSync(join(small, 'other'));
      log.append('dle\n');
      print(10);
      expect(await shipper.ship({ final: false })).toEqual({ status: 'shipped', droppedBytes: 0 });
      const [news, ...rest] = folder.messages().slice(fitted);
      expect(news).toMatch(new RegExp(`^drover: ${String(dropped)} bytes of output were dropped: .*ENOSPC`));
      expect(rest).toEqual(
        Array.from({ length: 10 }, (_none, index) => `line ${String(20_100 + index).padStart(5, '0')}`),
      );
    });

    it('R32: ENOSPC in the archive’s folder leaves no half line, and nothing is lost', async () => {
      const log = openBotLog(folder.logFile);
      const archives = createFolderLogArchives(small, BOT);
      const shipper = folder.shipper(archives);
      log.append('one\n');
      expect(await shipper.ship({ final: false })).toMatchObject({ status: 'shipped' });
      writeFileSync(join(small, 'other'), Buffer.alloc(900_000));
      log.append(`${'x'.repeat(500_000)}\n`);
      expect(await shipper.ship({ final: false })).toMatchObject({
        status: 'failing',
        error: { code: 'ARCHIVE_UNAVAILABLE' },
      });
      rmSync(join(small, 'other'));
      log.append('two\n');
      expect(await folder.shipper(archives).ship({ final: false })).toMatchObject({ status: 'shipped' });
      const day = new Date().toISOString().slice(0, 10).replaceAll('-', '');
      const { readFileSync } = await import('node:fs');
      const messages = readFileSync(join(small, 'logs', BOT, `${day}.log`), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { message: string }).message);
      expect(messages).toEqual(['one', 'x'.repeat(500_000), 'two']);
    });
  },
);
