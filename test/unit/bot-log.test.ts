/** bot.log on its volume: plain, rotated, bounded; and what the shipper makes of it. */
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DroverError } from '../../src/domain/errors.ts';
import type { LogArchives } from '../../src/ports/log-archives.ts';
import { openBotLog } from '../../src/runtime/logs/bot-log.ts';
import { readCursor } from '../../src/runtime/logs/cursor.ts';
import { listSegments, rotatedPath } from '../../src/runtime/logs/log-files.ts';
import { createFolderLogArchives } from '../../src/adapters/embedded/folder-log-archives.ts';
import { BOT, openLogFolder } from '../support/log-folder.ts';

const T0 = Date.UTC(2026, 0, 31, 12);
let folder: ReturnType<typeof openLogFolder>;
let now = T0;
beforeEach(() => {
  folder = openLogFolder();
  now = T0;
});
afterEach(() => {
  folder.close();
});
const open = (fileBytes = 1024 ** 2, files = 4) => openBotLog(folder.logFile, { fileBytes, files, now: () => now });
const numbered = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_none, index) => `line ${String(from + index)}\n`).join('');
const names = (from: number, to: number): string[] => numbered(from, to).split('\n').slice(0, -1);

describe('bot.log', () => {
  it('is plain, as it came', () => {
    const bytes = Buffer.from([0, 255, 10, 200, 13, 10, 65]);
    const log = open();
    log.append(bytes);
    log.append('ü\n');
    log.append('');
    expect(readFileSync(folder.logFile).equals(Buffer.concat([bytes, Buffer.from('ü\n')]))).toBe(true);
  });

  it('is rotated at newlines into files that say where they begin, and stays within its budget', () => {
    const log = open(1_000, 3);
    for (let n = 0; n < 1_000; n += 1) {
      log.append(`line ${String(n)}\n`);
      expect(folder.used()).toBeLessThanOrEqual(3_000 + 200);
    }
    const segments = listSegments(folder.logsPath);
    expect(segments).toHaveLength(3);
    const total = numbered(0, 1_000);
    expect(segments.at(-1)?.end).toBe(total.length);
    for (const { start, end, path } of segments) {
      expect(readFileSync(path, 'utf8')).toBe(total.slice(start, end));
      expect(total[end - 1]).toBe('\n');
    }
    expect(readdirSync(folder.logsPath).filter((name) => name.endsWith('.times'))).toHaveLength(3);
  });

  it('goes on counting in the next process, which begins a line of its own', () => {
    open(1_000).append('killed in the mid');
    open(1_000).append('next\n');
    expect(readFileSync(folder.logFile, 'utf8')).toBe('killed in the mid\nnext\n');
    for (let n = 0; n < 30; n += 1) open(100).append(`line ${String(n)}\n`);
    const segments = listSegments(folder.logsPath);
    expect(segments.at(-1)?.end).toBe('killed in the mid\nnext\n'.length + numbered(0, 30).length);
    expect(segments.every(({ start }, index) => index === 0 || start === segments[index - 1]?.end)).toBe(true);
  });

  it('takes a chunk and a line that are longer than a file', async () => {
    open(1_000).append(`${'x'.repeat(2_500)}\n${numbered(0, 10)}`);
    await folder.shipper().ship({ final: true });
    expect(folder.messages()).toEqual(['x'.repeat(2_500), ...names(0, 10)]);
  });

  it('goes on after bot.log was removed or its folder is away', () => {
    const log = open();
    log.append('one\n');
    rmSync(folder.logFile);
    log.append('two\n');
    expect(readFileSync(folder.logFile, 'utf8')).toBe('two\n');
    rmSync(folder.logsPath, { recursive: true });
    writeFileSync(folder.logsPath, 'in the way');
    log.append('three\nfo');
    log.append('ur\n');
    rmSync(folder.logsPath);
    log.append('five\n');
    expect(readFileSync(folder.logFile, 'utf8')).toMatch(/^drover: 11 bytes of output were dropped: .*\nfive\n$/);
  });
});

describe('shipping', () => {
  const shipped = { status: 'shipped', droppedBytes: 0 };

  it('has nothing to do where there is no log', async () => {
    rmSync(folder.logsPath, { recursive: true });
    expect(await folder.shipper().ship({ final: true })).toEqual(shipped);
    expect(existsSync(folder.logsPath)).toBe(false);
  });

  it('brings whole lines only, until the end', async () => {
    const log = open();
    const shipper = folder.shipper();
    log.append('one\n\n  \ntwo\nthr');
    expect(await shipper.ship({ final: false })).toEqual(shipped);
    expect(folder.messages()).toEqual(['one', 'two']);
    log.append('ee\nfour');
    await shipper.ship({ final: false });
    await shipper.ship({ final: false });
    expect(folder.messages()).toEqual(['one', 'two', 'three']);
    await folder.shipper().ship({ final: true });
    await folder.shipper().ship({ final: true });
    expect(folder.messages()).toEqual(['one', 'two', 'three', 'four']);
    open().append('five\n');
    await folder.shipper().ship({ final: false });
    expect(folder.messages()).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  it('gives each line the second it was printed in, and its day', async () => {
    const log = open(200, 50);
    const times: string[] = [];
    const times0 = Date.UTC(2026, 0, 31, 23, 59, 30);
    for (let n = 0; n < 60; n += 1) {
      now = times0 + n * 1_000;
      log.append(`line ${String(n)}\n`);
      now += 500;
      log.append(`line ${String(n)} and a half\n`);
      times.push(...Array<string>(2).fill(`${new Date(times0 + n * 1_000).toISOString().slice(0, 19)}Z`));
    }
    await folder.shipper().ship({ final: false });
    expect(folder.days()).toEqual(['20260131.log', '20260201.log']);
    expect(folder.lines().map(({ timestamp }) => timestamp)).toEqual(times);
    expect(folder.day('20260131.log').split('\n')).toHaveLength(61);
  });

  it('falls back to the time of the file where times are lost or torn', async () => {
    open().append('one\n');
    const times = readdirSync(folder.logsPath).find((name) => name.endsWith('.times')) ?? '';
    writeFileSync(join(folder.logsPath, times), '0 17');
    await folder.shipper().ship({ final: false });
    const [line] = folder.lines();
    expect(Date.parse(line?.timestamp ?? '')).toBeGreaterThan(Date.now() - 60_000);
  });

  it('counts what rotation dropped, and says it once', async () => {
    const log = open(1_000, 2);
    log.append(numbered(0, 5));
    await folder.shipper().ship({ final: false });
    log.append(numbered(5, 400));
    const start = listSegments(folder.logsPath)[0]?.start ?? 0;
    const dropped = start - numbered(0, 5).length;
    expect(dropped).toBeGreaterThan(500);
    const report = { status: 'shipped', droppedBytes: dropped };
    expect(await folder.shipper().ship({ final: false })).toEqual(report);
    expect(await folder.shipper().ship({ final: false })).toEqual(report);
    const first = numbered(0, 400).slice(0, start).split('\n').length - 1;
    expect(folder.messages()).toEqual([
      ...names(0, 5),
      `drover: ${String(dropped)} bytes of output were dropped: the log was rotated before they could be stored`,
      ...names(first, 400),
    ]);
  });

  it('loses nothing while the store is away, and says why', async () => {
    open().append(numbered(0, 10));
    const refused: LogArchives = { append: () => Promise.reject(new DroverError('ARCHIVE_UNAVAILABLE', 'away')) };
    expect(await folder.shipper(refused).ship({ final: true })).toEqual({
      status: 'failing',
      droppedBytes: 0,
      error: { code: 'ARCHIVE_UNAVAILABLE', detail: 'away' },
    });
    expect(await folder.shipper().ship({ final: true })).toEqual(shipped);
    expect(folder.messages()).toEqual(names(0, 10));
  });

  it('believes the day’s object when the cursor is behind, or was never written', async () => {
    const log = open(300, 50);
    const before = readCursor(folder.logsPath);
    for (let n = 0; n < 20; n += 1) {
      now = T0 + n * 6 * 3_600_000;
      log.append(numbered(n * 10, n * 10 + 10));
      if (n % 3 === 0) await folder.shipper().ship({ final: false });
      if (n === 5)
        writeFileSync(join(folder.logsPath, 'bot.log.cursor'), JSON.stringify(before ?? readCursor(folder.logsPath)));
      if (n % 4 === 3) {
        const cursor = readCursor(folder.logsPath);
        writeFileSync(join(folder.logsPath, 'bot.log.cursor'), JSON.stringify({ ...cursor, position: 0 }));
      }
    }
    await folder.shipper().ship({ final: false });
    expect(folder.messages()).toEqual(names(0, 200));
  });

  it('takes bot.log as new when it was emptied while the bot runs', async () => {
    const log = open();
    log.append(numbered(0, 100));
    const shipper = folder.shipper();
    await shipper.ship({ final: false });
    truncateSync(folder.logFile, 0);
    log.append(numbered(100, 110));
    await shipper.ship({ final: false });
    expect(folder.messages()).toEqual(names(0, 110));
  });

  it('is whole when it was killed between a rotation and the first byte after it', async () => {
    open().append(numbered(0, 20));
    const [segment] = listSegments(folder.logsPath);
    renameSync(folder.logFile, rotatedPath(folder.logsPath, segment?.start ?? 0));
    expect(await folder.shipper().ship({ final: true })).toEqual({ status: 'shipped', droppedBytes: 0 });
    expect(folder.messages()).toEqual(names(0, 20));
  });

  it('ends the line that was cut there before the next process begins its own', async () => {
    open().append(`${numbered(0, 20)}cut`);
    const [segment] = listSegments(folder.logsPath);
    renameSync(folder.logFile, rotatedPath(folder.logsPath, segment?.start ?? 0));
    open().append('next\n');
    await folder.shipper().ship({ final: true });
    expect(folder.messages()).toEqual([...names(0, 20), 'cut', 'next']);
  });

  it('uses no position twice after a loss of power took the end of the log', async () => {
    open().append(numbered(0, 100));
    await folder.shipper().ship({ final: false });
    truncateSync(folder.logFile, statSync(folder.logFile).size - numbered(90, 100).length);
    open().append(numbered(100, 102));
    await folder.shipper().ship({ final: false });
    expect(folder.messages()).toEqual(names(0, 102));
  });

  it('replaces what is no UTF-8, and cuts a line without end between characters', async () => {
    open().append(Buffer.concat([Buffer.from([0xff, 65, 0xfe, 10]), Buffer.from('ü'.repeat(1_300_000))]));
    await folder.shipper().ship({ final: false });
    await folder.shipper().ship({ final: true });
    const [first, ...pieces] = folder.messages();
    expect(first).toBe('\ufffdA\ufffd');
    expect(pieces.length).toBe(3);
    expect(pieces.join('')).toBe('ü'.repeat(1_300_000));
  });

  it('ships a log that the next process, or somebody with a copy of the volume, finds', async () => {
    open().append(numbered(0, 10));
    await folder.shipper().ship({ final: false });
    appendFileSync(folder.logFile, numbered(10, 12));
    await folder.shipper(createFolderLogArchives(folder.archive, BOT)).ship({ final: true });
    expect(folder.messages()).toEqual(names(0, 12));
  });
});
