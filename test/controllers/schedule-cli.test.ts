/** Scheduled bots on the command line, over real HTTP on loopback: from their folder to the records of their runs. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { referenceSchedule } from '../support/reference-document.ts';
import type { ServedApp } from '../support/served.ts';
import { openCli, type ServedCli } from '../support/served-cli.ts';

const EXAMPLE = join(import.meta.dirname, '../../examples/python-counter');

let cli: ServedCli;
let api: ServedApp;
let folder: string;
beforeAll(async () => {
  cli = await openCli();
  ({ api, folder } = cli);
});
afterAll(() => cli.close());

const drover = async (...args: string[]): Promise<string> => stripVTControlCharacters(await cli.drover(...args));
const asked = async <T>(...args: string[]): Promise<T> => JSON.parse(await drover(...args, '-o', 'json')) as T;

/** Applied from a document, as another tool would write it; armed when this returns. */
const given = async (id: string, schedule: string, drover_: object = {}): Promise<void> => {
  const file = join(folder, `${id}.json`);
  await writeFile(file, JSON.stringify(referenceSchedule(id, { schedule, drover: drover_ })));
  expect(await drover('apply', file)).toMatch(new RegExp(`^${id} applied, next at \\d{4}-`));
  await expect.poll(async () => (await asked<{ state: string }>('schedules', id)).state).toBe('armed');
};

describe('drover', () => {
  it('applies the example with its code, and says when it runs', async () => {
    expect(await drover('apply', EXAMPLE)).toMatch(/^python-counter applied, next at \S+:00\.000Z$/);
    expect(await drover('apply', EXAMPLE)).toMatch(/^python-counter unchanged, next at /);
    const { document } = await asked<{ document: { custom: { filePath: string } } }>('schedules', 'python-counter');
    expect(await api.stores.archives.sizeOfCode(document.custom.filePath)).toBeGreaterThan(0);
    await expect(drover('get', 'python-counter')).rejects.toMatchObject({ code: 'BOT_NOT_FOUND' });
    await expect(drover('get', 'python-counter')).rejects.toThrow(/`drover schedules python-counter` shows it/);
  });
  it('case F8: `schedules -o json` has the text as it was written, and the next run of what is armed', async () => {
    await given('worded-cron', '*/5 * * * MON-FRI');
    const all = await asked<readonly { scheduleId: string; cron: string; nextAt: number | null }[]>('schedules');
    const shown = all.find(({ scheduleId }) => scheduleId === 'worded-cron');
    expect(shown?.cron).toBe('*/5 * * * MON-FRI');
    expect(shown?.nextAt).toBeGreaterThan(Date.now());
    const one = await asked<{ cron: string; nextAt: number; next: readonly string[] }>('schedules', 'worded-cron');
    expect(one).toMatchObject({ cron: '*/5 * * * MON-FRI', nextAt: shown?.nextAt });
    expect(Date.parse(one.next[0] ?? '')).toBe(one.nextAt);
  });
  it('takes either word for a scheduled bot, and tells what is wrong with its text', async () => {
    const document = referenceSchedule('worded', { schedule: '@daily' });
    const bot = join(folder, 'worded');
    await mkdir(bot);
    await writeFile(join(bot, 'main.js'), '1');
    const write = (config: object): Promise<void> =>
      writeFile(join(bot, 'bot.yaml'), JSON.stringify({ ...document, config }));
    await write({ schedule: '@daily' });
    expect(await drover('apply', bot)).toMatch(/^worded applied, next at \S+T00:00:00\.000Z$/);
    await write({ schedule: '0 0 31 2 *' });
    await expect(drover('apply', bot)).rejects.toMatchObject({
      code: 'SCHEDULE_INVALID',
      message: expect.stringContaining('/config/schedule') as unknown,
    });
    await write({ schedule: 'TZ=Mars/Base @daily' });
    await expect(drover('apply', bot)).rejects.toMatchObject({ code: 'SCHEDULE_INVALID' });
  });
  it('lists schedules, and shows one with what its text means and how it is kept', async () => {
    await given('shown', '30 9 * * 1-5', { timeZone: 'America/New_York', jitterSeconds: 0, maxRunSeconds: 60 });
    expect(await drover('schedules')).toMatch(/shown .*armed .*30 9 \* \* 1-5 .*T1[34]:30:00Z/);
    const one = await drover('schedules', 'shown');
    expect(one).toMatch(/meaning\s+text=30 9 .* timeZone=America\/New_York/);
    expect(one).toMatch(/policy\s+overlap=forbid .*maxRunMs=60000/);
    expect(/^next\s+(.*)$/m.exec(one)?.[1]?.split(', ')).toHaveLength(5);
    expect(await asked<object>('schedules', 'shown')).toMatchObject({ going: 0, waiting: 0, enabled: true });
    await expect(drover('schedules', 'preview')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });
  it('fills the past, and shows runs that go on, that wait, and one with all there is to say', async () => {
    await given('filled', '0 * * * *');
    const from = '2026-01-31T09:00:00Z';
    expect(await drover('backfill', 'filled', '--from', from, '--to', '2026-01-31T11:00:00Z')).toMatch(/drover runs/);
    await expect.poll(() => drover('runs', 'filled')).toMatch(/20260131T090000Z .*backfill .*running/);
    const table = (await drover('runs', 'filled')).split('\n').filter((line) => line.includes('backfill'));
    expect(table).toHaveLength(3);
    expect(await asked('runs', 'filled', '20260131T110000Z')).toMatchObject({
      status: 'waiting',
      scheduledAt: Date.parse('2026-01-31T11:00:00Z'),
      actor: 'cli:test',
    });
    expect(await drover('runs', 'filled', '20260131T090000Z')).toMatch(/scheduledAt\s+2026-01-31T09:00:00Z/);
    expect(await drover('schedules')).toMatch(/filled .*1, 2 wait/);
    await expect(drover('runs', 'filled', 'c-none')).rejects.toMatchObject({ code: 'BOT_NOT_FOUND' });
    await expect(drover('runs', 'filled', '--limit', 'many')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(drover('backfill', 'filled', '--from', from, '--to', from.replace('09', '08'))).rejects.toThrow(
      /later/,
    );
  });
  it('shows slots that did not run beside those that did', async () => {
    await given('passing', '* * * * * *');
    await drover('pause', 'passing', '--note', 'quiet');
    await expect.poll(async () => (await asked<{ state: string }>('schedules', 'passing')).state).toBe('paused');
    await expect
      .poll(
        async () => {
          await drover('resume', 'passing');
          const text = await drover('runs', 'passing');
          if (!text.includes('paused')) await drover('pause', 'passing');
          return text;
        },
        // A slot passes between two looks.
        { interval: 1_500 },
      )
      .toMatch(/did not run .*\d+ slots? .*paused/);
    await drover('disable', 'passing');
  });
  it('previews one and all, as lines or as JSON', async () => {
    await given('seen', '15 3 * * *');
    const range = ['--from', '2030-03-01T00:00:00Z', '--to', '2030-03-02T00:00:00Z'];
    expect(await drover('preview', 'seen', ...range)).toBe('2030-03-01T03:15:00Z  seen');
    expect(await drover('preview', ...range)).toContain('2030-03-01T03:15:00Z  seen');
    expect(await asked('preview', 'seen', ...range)).toEqual({
      times: [
        { scheduleId: 'seen', slot: Date.parse('2030-03-01T03:15:00Z'), dueAt: Date.parse('2030-03-01T03:15:00Z') },
      ],
      more: false,
    });
    await expect(drover('preview', 'seen', '--from', 'tomorrow')).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
    await expect(drover('preview', 'nobody')).rejects.toMatchObject({ code: 'BOT_NOT_FOUND' });
  });
  it('enables, disables and deletes what is a bot or else a schedule', async () => {
    await given('either', '@daily');
    await drover('disable', 'either');
    await expect.poll(() => drover('schedules')).toMatch(/either .*disabled/);
    await expect(drover('trigger', 'either')).rejects.toThrow(/disabled/);
    await drover('enable', 'either');
    await expect.poll(() => drover('schedules')).toMatch(/either .*armed/);
    await drover('delete', 'either');
    await expect.poll(() => drover('schedules')).not.toContain('either');
    for (const action of ['enable', 'disable', 'delete'])
      await expect(drover(action, 'nobody')).rejects.toThrow('there is no bot "nobody"');
  });
});
