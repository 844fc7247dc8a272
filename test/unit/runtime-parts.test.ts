import { describe, expect, it } from 'vitest';
import { botEnvironment } from '../../src/runtime/bot-environment.ts';
import { commandFor, requireCommand } from '../../src/runtime/command-for.ts';
import { readRuntimeConfig } from '../../src/runtime/config.ts';
import { parseOomKills } from '../../src/runtime/oom-counter.ts';
import type { Runtime } from '../../src/domain/bot.ts';

const ENV = {
  PATH: '/usr/bin',
  BOT_ID: 'b',
  RUNTIME: 'python3.11',
  ENTRYPOINT: 'main.py',
  BOT_CONFIG: '{"a":1}',
  CODE_FILE: 'u/b/1',
  BOT_TYPE: 'realtime',
  DROVER_ATTEMPT: '4',
  MINIO_SECRET_KEY: 'hush',
  NATS_URL: 'nats://x',
  QUERY_PATH: '/x',
  QUERY_PARAM_a: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
};

describe('the command of a runtime (contract §6.1)', () => {
  it.each<[Runtime, string, string]>([
    ['python3.11', 'main.py', 'python3 /app/wrappers/python_bot.py'],
    ['nodejs20', 'main.js', 'node /app/wrappers/node_bot.js'],
    ['dotnet8', 'Bot.dll', 'dotnet Bot.dll'],
    ['dotnet8', 'Bot.csproj', 'dotnet run --project Bot.csproj'],
    ['rust-stable', 'target/bot', '/bot/target/bot'],
    ['gcc13', 'bot', '/bot/bot'],
    ['cpp-gcc13', 'bot', '/bot/bot'],
    ['ghc96', 'bot', '/bot/bot'],
    ['scala3', 'bot.jar', 'java -jar bot.jar'],
    ['scala3', 'bot.jar:Main', 'java -cp bot.jar Main'],
  ])('%s %s', (runtime, entrypoint, expected) => {
    const { file, args } = commandFor(runtime, entrypoint, '/bot');
    expect([file, ...args].join(' ')).toBe(expected);
  });
  it('is refused when the image has no such interpreter', () => {
    const command = commandFor('scala3', 'x.jar', '/bot');
    expect(() => {
      requireCommand(command, 'scala3', '/nowhere');
    }).toThrow(/no java/);
  });
});

describe('the environment of the bot (contract §1.3)', async () => {
  const env = botEnvironment(await readRuntimeConfig(undefined, { ...ENV, QUERY_PATH: '/x' }));
  it('has what SDKs read', () => {
    expect(env).toMatchObject({
      BOT_ID: 'b',
      BOT_CONFIG: '{"a":1}',
      CODE_MOUNT_DIR: 'bot',
      SCRIPT_PATH: 'main.py',
      ENTRYPOINT_TYPE: 'bot',
      BOT_TYPE: 'realtime',
      STATE_DIR: '/state/.the0-state',
      PYTHONPATH: '/bot/vendor:/bot',
      PYTHONUNBUFFERED: '1',
    });
  });
  it('has no key of the platform, no setting of ours, and no query', () => {
    expect(Object.keys(env).filter((name) => /MINIO|NATS|DROVER|QUERY|MALLOC/.test(name))).toEqual([]);
  });
});

describe('case A7: a configuration that no variable can hold', () => {
  const read = (text: string, runtime: string) =>
    readRuntimeConfig(undefined, { ...ENV, RUNTIME: runtime, BOT_CONFIG: text, NODE_OPTIONS: '--no-warnings' });
  const text = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2));
  it('is in the environment up to the limit of the kernel, and behind it in a file alone', async () => {
    const [fits, longer] = [text(131_060), text(131_061)];
    expect(botEnvironment(await read(fits, 'nodejs20'))).toMatchObject({ BOT_CONFIG: fits, CONFIG: fits });
    const env = botEnvironment(await read(longer, 'nodejs20'));
    expect(env).toMatchObject({
      BOT_CONFIG_FILE: '/dev/shm/bot-config.json',
      NODE_OPTIONS: '--require=/app/wrappers/large_config.cjs --no-warnings',
    });
    expect(Object.keys(env).filter((name) => name === 'CONFIG' || name === 'BOT_CONFIG')).toEqual([]);
    expect(botEnvironment(await read(longer, 'python3.11'))['PYTHONPATH']).toBe(
      '/app/wrappers/large_config:/bot/vendor:/bot',
    );
  });
  it('is in the environment of no program of ours', async () => {
    expect(Object.keys((await read(text(200_000), 'nodejs20')).env)).not.toContain('BOT_CONFIG');
  });
});

describe('what the container tells', () => {
  const read = (change: Record<string, string>) => readRuntimeConfig(undefined, { ...ENV, ...change });
  it.each(['BOT_ID', 'RUNTIME', 'ENTRYPOINT'])('must hold %s', async (name) => {
    await expect(read({ [name]: '' })).rejects.toThrow(`${name} is not set`);
  });
  it('must name a runtime, and hold JSON', async () => {
    await expect(read({ RUNTIME: 'cobol' })).rejects.toThrow(/cobol is not known/);
    await expect(read({ BOT_CONFIG: '{' })).rejects.toThrow(/not JSON/);
  });
  it('has stages of a stop that can be set, and stand for nonsense', async () => {
    const given = await read({ DROVER_STOP_HOOK_MS: '1', DROVER_BOT_GRACE_MS: '-3', DROVER_SYNC_MS: 'x' });
    expect([given.stopHookMs, given.botGraceMs, given.syncMs]).toEqual([1, 10_000, 60_000]);
  });
});

describe('the OOM counter', () => {
  it.each([
    ['low 0\noom 1\noom_kill 3\noom_group_kill 0\n', 3],
    ['oom_kill_disable 0\nunder_oom 0\noom_kill 2\n', 2],
    ['oom_kill_disable 0\n', undefined],
  ])('is read from either version', (text, count) => {
    expect(parseOomKills(text)).toBe(count);
  });
});
