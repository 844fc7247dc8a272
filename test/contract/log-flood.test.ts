/** R31: a bot that prints without measure: bounded memory, bounded disk, the last line kept. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openBotLog } from '../../src/runtime/logs/bot-log.ts';
import { openLogFolder } from '../support/log-folder.ts';
import { expectFlood, runFlood, shipFlood } from '../support/logs/run-flood.ts';

let folder: ReturnType<typeof openLogFolder>;
beforeEach(() => (folder = openLogFolder()));
afterEach(() => {
  folder.close();
});

it('R31: 300 MB of lines, one of 100 MB, bytes that are no text, and no newline at the end; it goes on with the next line', async () => {
  await runFlood(folder);
  await shipFlood(folder.logsPath, { kind: 'folder', path: folder.archive });
  // The little that was shipped first.
  expectFlood(folder.messages().slice(1));
  openBotLog(folder.logFile).append('next\n');
  await folder.shipper().ship({ final: false });
  expect(folder.messages().slice(-2)).toEqual(['the last line, without an end', 'next']);
});
