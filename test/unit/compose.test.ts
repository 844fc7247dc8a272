/** The compose files hold what their README promises. What compose itself thinks of them: scripts/check-compose.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { SETTING_NAMES, SETTINGS } from '../../src/config-table.ts';
import { readPage } from '../support/doc-page.ts';

interface Service {
  readonly image: string;
  readonly command?: string | readonly string[];
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly network_mode?: string;
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
}
interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Of the command line, which the controller does not read. */
const CLIENT = ['DROVER_URL', 'DROVER_TOKEN'];
const ROOT = join(import.meta.dirname, '../..');
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const load = (name: string): ComposeFile => parse(textOf(`compose/${name}`)) as ComposeFile;
/** As compose fills it in when nothing is set. */
const filledIn = (text: string): string =>
  text.replace(/\$\{\w+:-([^}]*)\}/g, '$1').replace(/\$\{\w+:\?[^}]*\}/g, 'given');

const real = load('docker-compose.yml');
const dev = load('docker-compose.dev.yml');
const all = [...Object.entries(real.services), ...Object.entries(dev.services)];
const drover = real.services['drover'] as Service;

describe.each(all)('service %s', (name, service) => {
  it('has a health check', () => {
    expect(service.healthcheck?.test.length).toBeGreaterThan(1);
  });
  it('has an image with an exact tag', () => {
    expect(filledIn(service.image)).toMatch(
      /^[a-z/]+:(\d+\.\d+\.\d+(-[a-z]+)?|RELEASE\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)$/,
    );
  });
  it('publishes ports on loopback alone, and what bots need on the bridge of the engine', () => {
    const address = name === 's3' ? /^172\.17\.0\.1:\d+:\d+$/ : /^127\.0\.0\.1:\d+:\d+$/;
    for (const port of service.ports ?? []) expect(filledIn(port)).toMatch(address);
    expect(service.network_mode === 'host' || (service.ports ?? []).length > 0).toBe(true);
  });
  it('keeps its data on named volumes and its log bounded', () => {
    const names = new Set([...Object.keys(real.volumes), '/var/run/docker.sock']);
    for (const volume of service.volumes ?? []) expect(names).toContain(volume.split(':')[0]);
    // Of these all but gc keep something.
    expect(service.volumes?.length ?? 0).toBeGreaterThan(name === 'gc' ? -1 : 0);
    expect(service.logging?.options).toMatchObject({ 'max-size': '10m' });
  });
});

describe('drover', () => {
  it('has the engine’s socket, the host’s network and a folder of its own', () => {
    expect(drover.volumes).toContain('/var/run/docker.sock:/var/run/docker.sock');
    expect(drover.volumes).toContain(`drover-data:${drover.environment?.['DROVER_DATA_DIR'] ?? ''}`);
    expect(drover.network_mode).toBe('host');
  });
  it('comes back by itself, has time to end, and is root without its powers', () => {
    expect(drover).toMatchObject({ restart: 'unless-stopped', stop_grace_period: '30s' });
    expect(drover).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });
  it('is given settings that exist, with values they take', () => {
    for (const [env, value] of Object.entries(drover.environment ?? {})) {
      if (CLIENT.includes(env)) continue;
      const name = SETTING_NAMES.find((setting) => SETTINGS[setting].env === env);
      expect(name, `${env} is no setting`).toBeDefined();
      const filled = filledIn(value);
      if (name !== undefined && filled !== '') expect(SETTINGS[name].parse.safeParse(filled).success, env).toBe(true);
    }
  });
  it('is given the defaults of its own buckets and databases', () => {
    const given = drover.environment ?? {};
    for (const name of SETTING_NAMES.filter((setting) => /^(minio\w+Bucket|mongo\w*Database)$/.test(setting))) {
      const { env, default: fallback } = SETTINGS[name];
      expect(filledIn(given[env] ?? ''), env).toBe(fallback);
    }
  });
  it('does not start without credentials', () => {
    for (const name of ['MINIO_ACCESS_KEY', 'MINIO_SECRET_KEY']) {
      expect(drover.environment?.[name]).toMatch(new RegExp(`^\\$\\{${name}:\\?.*${name}.*\\}$`));
      expect(textOf('compose/.env.example')).toMatch(new RegExp(`^${name}=change-me`, 'm'));
    }
  });
  it('starts after the servers that are always there, and has an image of this version', () => {
    expect(drover.depends_on).toEqual({
      mongo: { condition: 'service_healthy' },
      nats: { condition: 'service_healthy' },
    });
    const { version } = JSON.parse(textOf('package.json')) as { version: string };
    expect(filledIn(drover.image)).toBe(`drover:${version}`);
  });
});

describe('gc', () => {
  const gc = real.services['gc'] as Service & { readonly user?: string };
  it('sweeps every five minutes, with a health check on its own port, and has nothing but what it reads', () => {
    expect(gc.command).toEqual(['gc', '--interval', '5m']);
    expect(gc.healthcheck?.test.join(' ')).toMatch(/GC_PORT\}\/readyz/);
    expect(gc.environment?.['GC_PORT']).toBe('${GC_PORT:-8084}');
    expect(gc.volumes).toBeUndefined();
    expect(gc).toMatchObject({ read_only: true, cap_drop: ['ALL'], user: '1000:1000', restart: 'unless-stopped' });
    expect(gc.depends_on).toEqual({ drover: { condition: 'service_healthy' } });
  });
  it('reads the same stores as drover, with settings that exist', () => {
    for (const [env, value] of Object.entries(gc.environment ?? {})) {
      const name = SETTING_NAMES.find((setting) => SETTINGS[setting].env === env);
      expect(name, `${env} is no setting`).toBeDefined();
      if (/^(MONGO|MINIO)_/.test(env)) expect(drover.environment?.[env], env).toBe(value);
      const filled = filledIn(value);
      if (name !== undefined && filled !== '') expect(SETTINGS[name].parse.safeParse(filled).success, env).toBe(true);
    }
    // What bots are told is none of its business.
    const shared = Object.keys(drover.environment ?? {}).filter((key) => /^(MONGO|MINIO)_(?!CONTAINER)/.test(key));
    for (const env of shared) {
      expect(gc.environment, env).toHaveProperty(env);
    }
  });
});

describe('the servers for developers', () => {
  it.each(['mongo', 'nats', 's3'])('%s is the same, under a name of its own', (name) => {
    const [ours, theirs] = [real.services[name] as Service, dev.services[`${name}-dev`] as Service];
    expect(theirs.image).toBe(ours.image);
    expect(theirs.volumes).toEqual(ours.volumes);
    const numbers = (ports: readonly string[] = []): string[] =>
      ports.map((port) => filledIn(port).replace(/^[\d.]+:/, ''));
    expect(numbers(theirs.ports)).toEqual(numbers(ours.ports));
    const plain = (test: readonly string[] = []): string => filledIn(test.join(' ')).replace(' --port 27017', '');
    expect(plain(theirs.healthcheck?.test)).toBe(plain(ours.healthcheck?.test));
    const command = filledIn([theirs.command].flat().join(' ')).replace(' --port 27017', '').replace('0.25', '1');
    expect(command).toBe(filledIn([ours.command].flat().join(' ')));
  });
  it('are not named like those of a real installation', () => {
    const names = Object.keys(dev.services);
    expect(names).toHaveLength(3);
    for (const name of names) expect(Object.keys(real.services)).not.toContain(name);
  });
});

describe('the health check of MongoDB', () => {
  const script = filledIn(real.services['mongo']?.healthcheck?.test.at(-1) ?? '');
  /** `electedAfter`: ms until the member is one that can be written to. */
  const check = (status: () => unknown, electedAfter: number) => {
    const [initiate, quit] = [vi.fn(), vi.fn()];
    let now = 0;
    const sleep = (ms: number): void => void (now += ms);
    const hello = () => ({ isWritablePrimary: now >= electedAfter });
    const look = (): void => {
      runInNewContext(script, { rs: { status, initiate }, db: { hello }, quit, sleep });
    };
    return { look, initiate, quit };
  };
  const refuses = (codeName: string) => () => {
    throw Object.assign(new Error(codeName), { codeName });
  };

  it('makes the set when there is none, as clients on the host reach it', () => {
    const { look, initiate, quit } = check(refuses('NotYetInitialized'), 1_000);
    look();
    expect(initiate).toHaveBeenCalledExactlyOnceWith({ _id: 'rs0', members: [{ _id: 0, host: '127.0.0.1:27017' }] });
    expect(quit).toHaveBeenCalledExactlyOnceWith(0);
  });
  it('is healthy once the set can be written to, and makes no second one', () => {
    const { look, initiate, quit } = check(() => ({ ok: 1 }), 0);
    look();
    expect(initiate).not.toHaveBeenCalled();
    expect(quit).toHaveBeenCalledExactlyOnceWith(0);
  });
  it('is not healthy while nothing can be written', () => {
    const { look, quit } = check(() => ({ ok: 1 }), Infinity);
    look();
    expect(quit).toHaveBeenCalledExactlyOnceWith(1);
  });
  it('makes nothing when it is refused for another reason', () => {
    const { look, initiate } = check(refuses('Unauthorized'), 0);
    expect(look).toThrow('Unauthorized');
    expect(initiate).not.toHaveBeenCalled();
  });
});

it('case F10: each address in the script that announces a bot is one that the compose file publishes', () => {
  const readme = textOf('compose/README.md');
  const script = /```js file=announce\.mjs\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const addresses = [
    ...[...script.matchAll(/endPoint: '([^']+)', port: (\d+)/g)].map(([, host, port]) => `${host ?? ''}:${port ?? ''}`),
    ...[...script.matchAll(/servers: '([^']+)'/g)].map(([, server]) => server ?? ''),
  ];
  expect(addresses).toHaveLength(2);
  const published = Object.values(real.services)
    .flatMap(({ ports = [] }) => ports.map(filledIn))
    .map((port) => port.split(':').slice(0, 2).join(':'));
  for (const address of addresses) expect(published).toContain(address);
});
it('case F10: the tests of the pages run that script as it is printed', () => {
  const { steps } = readPage(join(ROOT, 'compose/README.md'));
  expect(steps).toContainEqual(expect.objectContaining({ kind: 'file', path: 'announce.mjs' }));
  const commands = steps.flatMap((step) => (step.kind === 'run' ? [step.text] : []));
  expect(commands.filter((text) => text.includes('announce.mjs'))).toHaveLength(1);
});
