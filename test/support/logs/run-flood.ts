/** R31 as one story: a flood on a volume, then all of what is left of it into an archive. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { StoreAccess } from '../../../src/domain/store-access.ts';
import type { LogsReport } from '../../../src/domain/sync-report.ts';
import { bundled } from './crash-run.ts';
import type { openLogFolder } from '../log-folder.ts';

const MIB = 1024 ** 2;
export const GROWN_MOST = 50 * MIB;
/** 4 files of 16 MiB. */
const BUDGET = 64 * MIB;
const run = promisify(execFile);

export const runFlood = async (folder: ReturnType<typeof openLogFolder>): Promise<void> => {
  let most = 0;
  const timer = setInterval(() => {
    try {
      most = Math.max(most, folder.used());
    } catch {
      // Rotated while we added up.
    }
  }, 5);
  const { stdout } = await run(process.execPath, [await bundled('flood.ts'), folder.logFile]);
  clearInterval(timer);
  expect((JSON.parse(stdout) as { grown: number }).grown).toBeLessThan(GROWN_MOST);
  expect(most).toBeGreaterThan(BUDGET / 2);
  expect(Math.max(most, folder.used())).toBeLessThanOrEqual(BUDGET + MIB);
};

export const shipFlood = async (logsPath: string, access: StoreAccess): Promise<void> => {
  const { stdout } = await run(process.execPath, [await bundled('ship-once.ts'), logsPath, JSON.stringify(access)]);
  const { grown, report } = JSON.parse(stdout) as { grown: number; report: LogsReport };
  expect(report).toMatchObject({ status: 'shipped' });
  expect(report.droppedBytes).toBeGreaterThan(300 * MIB);
  expect(grown).toBeLessThan(GROWN_MOST);
};

export const expectFlood = (messages: readonly string[]): void => {
  expect(messages.at(-1)).toBe('the last line, without an end');
  expect(messages.filter((message) => message.startsWith('drover: '))).toHaveLength(1);
  expect(messages.some((message) => message.includes('\ufffd'))).toBe(true);
  const pieces = messages.filter((message) => /^y+$/.test(message));
  expect(pieces.length).toBeGreaterThan(40);
  expect(Math.max(...pieces.map(({ length }) => length))).toBe(MIB);
};
