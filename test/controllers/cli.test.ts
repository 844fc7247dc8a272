/** The command line against a served API, over real HTTP on loopback. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiClient } from '../../src/cli/api-client.ts';
import type { ServedApp } from '../support/served.ts';
import { openCli, type ServedCli } from '../support/served-cli.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples');

let cli: ServedCli;
let api: ServedApp;
let folder: string;
beforeAll(async () => {
  cli = await openCli();
  ({ api, folder } = cli);
});
afterAll(() => cli.close());

const drover = async (...args: string[]): Promise<string> => stripVTControlCharacters(await cli.drover(...args));
const stateOf = async (id: string): Promise<unknown> =>
  (JSON.parse(await drover('get', id, '-o', 'json')) as { state: unknown }).state;

describe('drover', () => {
  it('applies a folder of bots, twice the same without a change (feature A12)', async () => {
    // A scheduled one says when it runs next.
    const told = async (): Promise<readonly string[]> =>
      (await drover('apply', EXAMPLES))
        .split('\n')
        .map((line) => line.replace(/, next at \S+Z$/, ', with a next run'))
        .sort();
    expect(await told()).toEqual([
      'node-ticker applied',
      'python-counter applied, with a next run',
      'python-momentum applied',
    ]);
    expect(await told()).toEqual([
      'node-ticker unchanged',
      'python-counter unchanged, with a next run',
      'python-momentum unchanged',
    ]);
    await expect.poll(() => stateOf('node-ticker')).toBe('running');
  });
  it('lists the states of a bot and starts it again with one that is chosen (feature E11)', async () => {
    await expect.poll(() => stateOf('node-ticker')).toBe('running');
    const first = {
      attempt: 1,
      sequence: 4,
      kind: 'state',
      size: 1048576,
      files: 2,
      createdAt: '2026-01-02T03:04:05Z',
    };
    api.world.toolOutput = JSON.stringify({ snapshots: [{ ...first, current: true }] });
    expect(await drover('state', 'node-ticker')).toMatch(
      /a1\/s4 .*2026-01-02T03:04:05Z .* 2 .* 1\.00 .*the newest state/,
    );
    expect(await drover('state', 'node-ticker', '--restore', 'a1/s4')).toBe(
      'node-ticker: the next start restores a1/s4',
    );
    const chosen = api.world.tools.at(-1);
    expect(chosen).toMatchObject({
      botId: 'node-ticker',
      args: ['state', 'choose', 'a1/s4', '--request', expect.any(String)],
    });
    await expect
      .poll(async () => (JSON.parse(await drover('get', 'node-ticker', '-o', 'json')) as { attempt: number }).attempt)
      .toBe(2);
    await expect(drover('state', 'node-ticker', '--restore', '../x')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    await expect(drover('state', 'nobody')).rejects.toMatchObject({ code: 'BOT_NOT_FOUND' });
  });
  it('uploads changed code under another path', async () => {
    const bot = join(folder, 'changing');
    await mkdir(bot);
    const document = {
      id: 'changing',
      config: {},
      custom: { version: '1', config: { runtime: 'nodejs20', entrypoints: { bot: 'main.js' } } },
    };
    await writeFile(join(bot, 'bot.yaml'), JSON.stringify(document));
    const pathOf = async (): Promise<string> => {
      await drover('apply', bot);
      const shown = JSON.parse(await drover('get', 'changing', '-o', 'json')) as {
        document: { custom: { filePath: string } };
      };
      return shown.document.custom.filePath;
    };
    await writeFile(join(bot, 'main.js'), '1');
    const first = await pathOf();
    await writeFile(join(bot, 'notes.log'), 'left out');
    expect(await pathOf()).toBe(first);
    await writeFile(join(bot, 'main.js'), '2');
    expect(await pathOf()).not.toBe(first);
    expect(await api.stores.archives.sizeOfCode(first)).toBeGreaterThan(0);
  });
  it('shows the fleet and one bot', async () => {
    await expect.poll(() => drover('get')).toMatch(/node-ticker.*running/);
    expect(await drover('get', 'node-ticker')).toMatch(/Ready\s+True Running/);
  });
  it('disables, enables, restarts and deletes', async () => {
    await drover('disable', 'node-ticker');
    await expect.poll(() => stateOf('node-ticker')).toBe('stopped');
    await drover('enable', 'node-ticker');
    await expect.poll(() => stateOf('node-ticker')).toBe('running');
    await drover('restart', 'node-ticker', '--reason', 'because');
    await expect.poll(() => drover('transitions', 'node-ticker')).toContain('because');
    await drover('delete', 'python-momentum');
    await expect.poll(() => stateOf('python-momentum')).toBe('deleted');
  });
  it('leaves a disabled bot disabled, and says so, unless its document enables it', async () => {
    const bot = join(folder, 'changing');
    const file = join(bot, 'bot.yaml');
    const document = JSON.parse(await readFile(file, 'utf8')) as { config: object };
    const desired = async (): Promise<unknown> =>
      (JSON.parse(await drover('get', 'changing', '-o', 'json')) as { enabled: unknown }).enabled;
    await drover('disable', 'changing');
    const applied = async (): Promise<string | undefined> => (await drover('apply', bot)).split('\n').at(-1);
    expect(await drover('apply', bot)).toBe(
      'changing: packed 1 file, 115 bytes; left out 1: notes.log\nchanging unchanged, still disabled',
    );
    await writeFile(join(bot, 'main.js'), '3');
    expect(await applied()).toBe('changing applied, still disabled');
    expect(await desired()).toBe(false);
    await writeFile(file, JSON.stringify({ ...document, config: { ...document.config, enabled: true } }));
    expect(await applied()).toBe('changing applied');
    expect(await desired()).toBe(true);
  });
  it('leaves a disabled schedule disabled', async () => {
    const counter = join(EXAMPLES, 'python-counter');
    await drover('disable', 'python-counter');
    expect(await drover('apply', counter)).toBe('python-counter unchanged, still disabled');
    await drover('enable', 'python-counter');
    expect(await drover('apply', counter)).toMatch(/, next at /);
  });
  it('prints the last output of a bot below the exit that it explains', async () => {
    await expect.poll(() => stateOf('node-ticker')).toBe('running');
    await api.world.hands.exit('node-ticker', 1);
    const pretty = (): Promise<string> => drover('transitions', 'node-ticker', '-o', 'pretty');
    await expect.poll(pretty).toMatch(/ContainerExited {2,}class=appError.*\n {4}\| last line of node-ticker\n/);
    expect(await drover('transitions', 'node-ticker')).not.toContain('last line');
    await expect.poll(() => stateOf('node-ticker')).toBe('running');
  });
  it('reads transitions as JSON lines, or pretty', async () => {
    const lines = (await drover('transitions', 'node-ticker')).split('\n').map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({
      bot: 'node-ticker',
      event: 'BotCreated',
      // A tick may have come into the same batch: the wish is among the causes, not always alone.
      cause: expect.arrayContaining([expect.stringMatching(/apply by cli:test/)]) as unknown,
    });
    expect(await drover('transitions', 'node-ticker', '-o', 'pretty')).toMatch(
      /stopped → starting\s+ContainerStartRequested/,
    );
    expect(await drover('transitions')).toContain('python-momentum');
  });
  it('follows', async () => {
    const ended = new AbortController();
    const client = createApiClient({ url: cli.url, token: undefined, actor: 'test' });
    const seen: string[] = [];
    const following = (async () => {
      for await (const line of client.lines('/v1/transitions?bot=node-ticker&follow=true', ended.signal))
        seen.push(line);
    })().catch(() => undefined);
    await expect.poll(() => seen.length).toBeGreaterThan(5);
    await drover('restart', 'node-ticker', '--reason', 'while followed');
    await expect.poll(() => seen.some((line) => line.includes('while followed'))).toBe(true);
    ended.abort();
    await following;
    expect(new Set(seen).size).toBe(seen.length);
  });
  it('drains, confirms, and prints its settings', async () => {
    expect(await drover('drain')).toMatch(/being stopped/);
    expect(await drover('drain', '--undo')).toMatch(/may run again/);
    expect(await drover('confirm-removal')).toBe('no stop was held back');
    expect(await drover('config', '--max-crashes', '7', '-o', 'json')).toMatch(
      /"MAX_CRASHES",\s+"value": "7",\s+"origin": "flag"/,
    );
  });
  it('says what is wrong with its input', async () => {
    await expect(drover('apply', join(folder, 'nowhere'))).rejects.toThrow(/nothing at/);
    await writeFile(join(folder, 'broken.yaml'), 'a: [');
    await expect(drover('apply', join(folder, 'broken.yaml'))).rejects.toThrow(/broken\.yaml:\d+:\d+: /);
    await expect(drover('get', 'nobody')).rejects.toThrow(/no bot "nobody"/);
    await expect(drover('--url', 'http://127.0.0.1:1', 'get')).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
    await expect(drover('up', '--max-crashes', 'many')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
