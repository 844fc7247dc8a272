import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stopBudgetMs } from '../../src/domain/bot.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';
import { parseDuration, writeDuration } from '../../src/setting-kinds.ts';
import { defaultsOf, policyOf } from '../../src/config-parts.ts';
import { fileKeyOf, SETTING_NAMES, SETTINGS, type SettingName } from '../../src/config-table.ts';
import { describeConfig, loadConfig } from '../../src/config.ts';
import { given, log, present } from '../support/given.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'drover-config-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});
const file = (text: string): string => {
  const path = join(folder, `${String(Math.random())}.yaml`);
  writeFileSync(path, text);
  return path;
};

it.each([500, 1_000, 1_500, 10_000, 60_000, 90_000, 3_600_000, 86_400_000])(
  '%i ms are written as they are read',
  (ms) => {
    expect(parseDuration(writeDuration(ms))).toBe(ms);
  },
);

describe('configuration', () => {
  it('shows each value as a user would write it', () => {
    const values = describeConfig(loadConfig({ env: { BOT_STOP_GRACE: '90' } }));
    const valueOf = (setting: string): unknown => values.find(({ name }) => name === setting)?.value;
    expect(valueOf('BOT_STOP_GRACE')).toBe('90s');
    expect(valueOf('GC_GRACE')).toBe('24h');
    expect(valueOf('MAX_CRASHES')).toBe('10');
  });
  it('has defaults, frozen', () => {
    const config = loadConfig({ env: {} });
    expect(config).toMatchObject({ reconcileInterval: 30_000, backoffFirst: 1_000, maxCrashes: 10, httpPort: 8080 });
    expect(Object.isFrozen(config)).toBe(true);
  });
  it('has the defaults of the policy that the planner is tested with', () => {
    expect(policyOf(loadConfig({ env: {} }))).toEqual(DEFAULT_POLICY);
  });
  it('has the default stages of a stop that the planner takes for a bot whose document is gone', () => {
    const desired = { kind: 'gone' } as const;
    const { plan } = given(log.running).when({ desired, observation: present() });
    const graceMs = stopBudgetMs(defaultsOf(loadConfig({ env: {} })));
    expect(plan.events).toContainEqual(expect.objectContaining({ type: 'ContainerStopRequested', graceMs }));
  });
  it('takes flag over environment over file over default', () => {
    const path = file('reconcile_interval: 5s\nmax_crashes: 4\nbackoff_first: 2s\n');
    const config = loadConfig({
      file: path,
      env: { RECONCILE_INTERVAL: '6s', MAX_CRASHES: '5' },
      flags: { reconcileInterval: '7s' },
    });
    expect(config).toMatchObject({ reconcileInterval: 7_000, maxCrashes: 5, backoffFirst: 2_000 });
    expect(config.origins).toMatchObject({
      reconcileInterval: 'flag',
      maxCrashes: 'environment',
      backoffFirst: 'file',
      backoffMax: 'default',
    });
  });
  it('case E13: takes each setting from its flag, whatever the environment and the file say', () => {
    const given: Partial<Record<SettingName, readonly [flag: string, other: string]>> = {
      dockerHost: ['unix:///flag.sock', 'tcp://127.0.0.1:1'],
      mongoUri: ['mongodb://flag/', 'mongodb://other/'],
      apiToken: ['of-the-flag', 'of-another'],
      backoffFirst: ['2s', '3s'],
      backoffMax: ['40s', '50s'],
      queryTimeout: ['2s', '3s'],
      queryMaxTimeout: ['2m', '3m'],
      storeKeyLifetime: ['2h', '3h'],
      minioCodeBucket: ['of-flag', 'of-other'],
      minioStateBucket: ['of-flag', 'of-other'],
      minioLogsBucket: ['of-flag', 'of-other'],
      minioQueryResultsBucket: ['of-flag', 'of-other'],
    };
    /** Two values that the setting takes, whatever it is. */
    const pair = (name: SettingName): readonly [string, string] => {
      if (given[name] !== undefined) return given[name];
      const takes = (value: string): boolean => SETTINGS[name].parse.safeParse(value).success;
      const words = [
        'true',
        'false',
        '20',
        '30',
        '20s',
        '30s',
        '0.2',
        '0.3',
        'published',
        'wait',
        'ignore',
        'address',
        'always',
        'never',
      ];
      const more = ['INFO', 'WARN', 'json', 'pretty', 'scoped', 'shared', 'onething', 'another'];
      const [one = '', two = ''] = [...words, ...more].filter(takes);
      return [one, two];
    };
    for (const name of SETTING_NAMES) {
      const [flag, other] = pair(name);
      const needed = { MINIO_ACCESS_KEY: 'k', MINIO_SECRET_KEY: 's', API_TOKEN: 'a-long-token' };
      const env = { ...needed, [SETTINGS[name].env]: other };
      const path = file(`${fileKeyOf(name)}: '${other}'\n`);
      const config = loadConfig({ file: path, env, flags: { [name]: flag } });
      expect([name, config.origins[name], config[name]]).toEqual([name, 'flag', SETTINGS[name].parse.parse(flag)]);
      expect([name, config[name]]).not.toEqual([name, SETTINGS[name].parse.parse(other)]);
    }
  });
  it.each([
    [{ RECONCILE_INTERVAL: 'soon' }, /RECONCILE_INTERVAL=soon .*duration/],
    [{ HTTP_PORT: '99999' }, /HTTP_PORT=99999 .*0 to 65535/],
    [{ BOT_HOST_GATEWAY: 'maybe' }, /BOT_HOST_GATEWAY=maybe .*true or false/],
    [{ LOG_LEVEL: 'LOUD' }, /LOG_LEVEL=LOUD .*DEBUG, INFO/],
    [{ BOT_RESTART_POLICY: 'x' }, /always, on-failure, never/],
    [{ BACKOFF_JITTER: '2' }, /0 to 1/],
    [{ INSTALL_ID: 'Big Install' }, /INSTALL_ID=Big Install/],
    [{ HTTP_HOST: '0.0.0.0' }, /HTTP_HOST=0\.0\.0\.0 .*API_TOKEN/],
    [{ BACKOFF_FIRST: '2m' }, /BACKOFF_FIRST/],
  ])('refuses %j by name, value and what is allowed', (env, message) => {
    expect(() => loadConfig({ env })).toThrow(message);
  });
  it('refuses a secret without showing it', () => {
    expect(() => loadConfig({ env: { API_TOKEN: 'hush' } })).toThrow(/API_TOKEN=\*\*\*/);
    expect(() => loadConfig({ env: { API_TOKEN: 'hush' } })).not.toThrow(/hush/);
  });
  it('refuses files that are none, and settings that are none', () => {
    expect(() => loadConfig({ env: {}, file: join(folder, 'nowhere.yaml') })).toThrow(/cannot be read/);
    expect(() => loadConfig({ env: {}, file: file('a: [') })).toThrow(/not valid YAML/);
    expect(() => loadConfig({ env: {}, file: file('reconcile_intervall: 3s') })).toThrow(/is not a setting/);
    expect(() => loadConfig({ env: {}, file: file('max_crashes: [1]') })).toThrow(/must be a single value/);
  });
  it('is printed masked', () => {
    const config = loadConfig({
      env: { API_TOKEN: 'very-secret', DOCKER_HOST: 'tcp://user:hunter2@host:2375' },
    });
    const text = JSON.stringify(describeConfig(config));
    expect(text).not.toContain('very-secret');
    expect(text).not.toContain('hunter2');
    expect(text).toContain('tcp://user:***@host:2375');
  });
  it.each([
    ['30s', 30_000],
    ['500ms', 500],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['30', 30_000],
    ['', undefined],
    ['30 s', undefined],
    ['-1s', undefined],
    ['1d', undefined],
  ])('reads the duration %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });
});
