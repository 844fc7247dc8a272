/** What is printed is what was set, whole and once. */
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { describeConfig, loadConfig } from '../../src/config.ts';
import { decodeBotMessage } from '../../src/documents/bot-message.ts';
import { decodeScheduleMessage } from '../../src/documents/schedule-message.ts';
import type { ApiClient } from '../../src/cli/api-client.ts';
import { conditionsOf } from '../../src/machines/conditions.ts';
import { absent, given, wish } from '../support/given.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const reasonOf = (decoded: { readonly kind: string; readonly reason?: string }): string =>
  decoded.reason ?? decoded.kind;

const printed = async (args: readonly string[], answer?: unknown): Promise<string> => {
  const lines: string[] = [];
  const client: ApiClient = {
    call: <T>() => Promise.resolve(answer as T),
    upload: () => Promise.resolve(),
    lines: async function* () {
      await Promise.resolve();
      yield '';
    },
  };
  const program = createProgram({
    out: (text) => lines.push(text),
    isTerminal: false,
    client: () => client,
    env: {},
    signal: new AbortController().signal,
  });
  for (const command of [program, ...program.commands]) command.exitOverride();
  await program.parseAsync(['node', 'drover', ...args]).catch(() => undefined);
  return lines.join('\n');
};

describe('case F8: settings and help', () => {
  it('case F8: durations are printed as a user writes them, also where one is refused', () => {
    const shown = describeConfig(loadConfig({ env: { QUERY_TIMEOUT: '90s', QUERY_MAX_TIMEOUT: '2m' } }));
    expect(shown.find(({ name }) => name === 'QUERY_TIMEOUT')?.value).toBe('90s');
    expect(() => loadConfig({ env: { QUERY_TIMEOUT: '10m' } })).toThrow(
      'QUERY_TIMEOUT=10m is not allowed: it must not exceed QUERY_MAX_TIMEOUT=5m',
    );
    expect(() => loadConfig({ env: { BACKOFF_FIRST: '90s' } })).toThrow(/BACKOFF_FIRST=90s .* BACKOFF_MAX=1m/);
    expect(() => loadConfig({ env: { BOT_STORE_KEY_LIFETIME: '1s' } })).toThrow(/a duration of at least 15m/);
  });
  it('case F8: `drover gc --help` shows its own options, and says where the settings are', async () => {
    const help = await printed(['gc', '--help']);
    expect(help.split('\n').length).toBeLessThan(25);
    for (const option of ['--interval', '--dry-run', '--force', '--json']) expect(help).toContain(option);
    expect(help).toContain('drover config --explain');
    expect(help).not.toContain('--mongo-uri');
  });
});

describe('case F9: reasons of dead letters', () => {
  it('case F9: each reason is said once', () => {
    const bot = reasonOf(decodeBotMessage('the0.bot.created', bytes({ id: 'x' })));
    expect(bot).toBe('/config: must be an object; /custom: must be an object');
    const schedule = reasonOf(decodeScheduleMessage('the0.bot-schedule.created', bytes({ id: 'x' })));
    expect(schedule).toBe('/config: must be an object; /custom: must be an object');
    const unscheduled = { id: 'x', config: {}, custom: {} };
    expect(reasonOf(decodeScheduleMessage('the0.bot-schedule.created', bytes(unscheduled)))).toBe(
      '/config/schedule: must be a string',
    );
  });
  it('case F9: a message that is wrong in many places is told in its first ones, none of them cut', () => {
    const entrypoints = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`e${String(n)}`, n]));
    const reason = reasonOf(
      decodeBotMessage('the0.bot.created', bytes({ id: 'x', config: {}, custom: { config: { entrypoints } } })),
    );
    expect(reason.split('; ')).toHaveLength(21);
    expect(reason).toMatch(/^\/custom\/config\/entrypoints\/e0: .*; and 480 more$/);
  });
  it('case F9: the command line prints a reason whole', async () => {
    const reason = Array.from({ length: 30 }, (_, n) => `/custom/field-${String(n)}: must be a string`).join('; ');
    const letters = [{ subject: 'the0.bot.created', at: 0, reason, size: 2, data: 'e30=' }];
    const words = (await printed(['dead-letters'], letters)).replace(/[│\s]+/g, ' ');
    for (let n = 0; n < 30; n += 1) expect(words).toContain(`/custom/field-${String(n)}: must`.split(' ')[0]);
  });
});

describe('a bot that is created in a drain', () => {
  const inDrain = given([]).when({ desired: wish({ drained: true }), observation: absent });
  it('its condition names the drain', () => {
    inDrain.then(['BotCreated', 'SpecChanged', 'BotDisabled'], [], 'stopped');
    expect(conditionsOf(inDrain.plan.state).find(({ type }) => type === 'Ready')?.message).toMatch(/by a drain/);
  });
  it('a disabled one is disabled, whatever the fleet does', () => {
    const off = given([]).when({ desired: wish({ drained: true, enabled: false }), observation: absent });
    off.then(['BotCreated', 'SpecChanged'], [], 'stopped');
    const disabled = given(inDrain.plan.events).when({ desired: wish({ drained: true, enabled: false }) });
    disabled.then(['BotDisabled'], [], 'stopped');
    expect(conditionsOf(disabled.plan.state).find(({ type }) => type === 'Ready')?.message).not.toMatch(/drain/);
  });
});
