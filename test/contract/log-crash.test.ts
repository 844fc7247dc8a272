/** kill -9 of who appends to bot.log and of who ships it, at many moments: each line is stored once, in order. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cases } from '../support/full.ts';
import { BOT, openLogFolder } from '../support/log-folder.ts';
import { expectWhole, runAndKill } from '../support/logs/crash-run.ts';

const KILLS = cases(10, 30);
let folder: ReturnType<typeof openLogFolder>;
beforeEach(() => (folder = openLogFolder()));
afterEach(() => {
  folder.close();
});

it(`keeps every line of ${BOT} over ${String(KILLS)} kills of each`, async () => {
  const { logsPath, archive } = folder;
  const acknowledged = await runAndKill({ logsPath, access: { kind: 'folder', path: archive }, kills: KILLS });
  expect(await folder.shipper().ship({ final: true })).toEqual({ status: 'shipped', droppedBytes: 0 });
  const messages = folder.messages();
  expectWhole(messages, acknowledged);
  expect(messages.length).toBeGreaterThan(KILLS * 20);
  // It can fail.
  for (const wrong of [messages.slice(1), [messages[0] ?? '', ...messages]]) {
    expect(() => {
      expectWhole(wrong, acknowledged);
    }).toThrow();
  }
});
