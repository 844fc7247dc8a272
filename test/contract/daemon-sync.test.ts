/** `daemon sync` as a real process, with a plain folder as its store. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { SyncReport } from '../../src/domain/sync-report.ts';
import { until } from '../../scripts/until.ts';
import { pathsBelow } from '../support/daemon/paths.ts';
import { eventually } from '../support/eventually.ts';

let built = '';
let daemonEntry = '';
let transferEntry = '';
let root = '';
let paths = pathsBelow('');
let started: ChildProcess[] = [];

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), 'daemon-built-'));
  daemonEntry = join(built, 'daemon-process.cjs');
  transferEntry = join(built, 'transfer-process.cjs');
  const support = join(import.meta.dirname, '../support/daemon');
  await build({
    entryPoints: [join(support, 'daemon-process.ts'), join(support, 'transfer-process.ts')],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outdir: built,
    outExtension: { '.js': '.cjs' },
  });
});
afterAll(() => {
  rmSync(built, { recursive: true, force: true });
});

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'daemon-'));
  paths = pathsBelow(root);
  for (const path of [join(paths.state, '.the0-state'), dirname(paths.log), paths.store]) {
    mkdirSync(path, { recursive: true });
  }
  writeFileSync(paths.access, JSON.stringify({ kind: 'folder', path: paths.store }));
});
afterEach(async () => {
  rmSync(paths.hold, { force: true });
  rmSync(paths.holdLogs, { force: true });
  const transfers = started.flatMap((child) => transfersOf(child));
  await Promise.all(started.map(end));
  started = [];
  // What a killed daemon left behind ends by itself when its channel closes.
  await until(() => !transfers.some(isAlive));
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

/** Kills it, where it has not ended by itself. */
const end = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
};
/** Its processes that transfer, by the list of its children that Linux keeps. */
const transfersOf = ({ pid = 0 }: ChildProcess): readonly number[] => {
  try {
    const children = readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8');
    return children.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
};
const isAlive = (pid: number): boolean => existsSync(`/proc/${String(pid)}`);

const start = (syncMs = 20_000, ...flags: string[]): ChildProcess => {
  const child = spawn(process.execPath, [daemonEntry, root, transferEntry, String(syncMs), ...flags], {
    stdio: 'inherit',
  });
  started.push(child);
  return child;
};
const exitOf = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) =>
    child.once('exit', (code) => {
      resolve(code);
    }),
  );
const report = (): SyncReport => JSON.parse(readFileSync(paths.report, 'utf8')) as SyncReport;
const key = (name: string): string => join(paths.state, '.the0-state', name);
/** From the archive that the reference's readers take: undefined when it is not in there. */
const stored = (name: string): string | undefined => {
  const archive = join(paths.store, 'state/state.tar.gz');
  const { status, stdout } = spawnSync('tar', ['-xzOf', archive, `.the0-state/${name}`], {
    encoding: 'utf8',
  });
  return status === 0 ? stdout : undefined;
};
/** All day objects below the store. */
const shipped = (): string =>
  readdirSync(paths.store, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\d{8}\.log$/.test(name))
    .map((name) => readFileSync(join(paths.store, name), 'utf8'))
    .join('');
const synced = (): Promise<void> =>
  eventually(() => {
    expect(report().state.status).toBe('synced');
  });

it('stores the last write before quiet time without a sweep, nested and new folders too', async () => {
  start();
  await synced();
  mkdirSync(key('deep/er'), { recursive: true });
  writeFileSync(key('deep/er/a.json'), '1');
  await eventually(() => {
    expect(stored('deep/er/a.json')).toBe('1');
  });
  for (let n = 0; n < 20; n += 1) {
    writeFileSync(key('deep/er/a.json'), `burst ${String(n)}`);
    await sleep(20);
  }
  await eventually(() => {
    expect(stored('deep/er/a.json')).toBe('burst 19');
  });
  rmSync(key('deep'), { recursive: true });
  await eventually(() => {
    expect(stored('deep/er/a.json')).toBeUndefined();
  });
});

it('stores while somebody never stops writing', async () => {
  start();
  await synced();
  const before = report().state.snapshot?.sequence ?? 0;
  const writer = setInterval(() => {
    writeFileSync(key('busy.json'), String(Date.now()));
  }, 50);
  try {
    await eventually(() => {
      expect(report().state.snapshot?.sequence).toBeGreaterThan(before);
    });
  } finally {
    clearInterval(writer);
  }
});

it('says failing while the store is away, and goes on when it is back', async () => {
  start();
  await synced();
  renameSync(paths.store, `${paths.store}-away`);
  writeFileSync(key('b.json'), '2');
  await eventually(() => {
    expect(report().state).toMatchObject({ status: 'failing', error: { code: 'STORAGE_UNAVAILABLE' } });
  });
  expect(report().state.snapshot).toBeDefined();
  renameSync(`${paths.store}-away`, paths.store);
  await eventually(() => {
    expect(stored('b.json')).toBe('2');
    expect(report().state.status).toBe('synced');
  });
});

it('survives kill -9 of the transfer process in the middle of a job', async () => {
  start();
  await synced();
  writeFileSync(paths.hold, '');
  rmSync(paths.worker);
  writeFileSync(key('c.json'), '3');
  await eventually(() => {
    expect(existsSync(paths.worker)).toBe(true);
    expect(readFileSync(paths.worker, 'utf8')).not.toBe('');
  });
  process.kill(Number(readFileSync(paths.worker, 'utf8')), 'SIGKILL');
  await eventually(() => {
    expect(report().state).toMatchObject({ status: 'failing', error: { code: 'STATE_UNSYNCED' } });
  });
  rmSync(paths.hold);
  await eventually(() => {
    expect(stored('c.json')).toBe('3');
  });
});

it('goes on with a new daemon after kill -9 of the first', async () => {
  const first = start();
  await synced();
  first.kill('SIGKILL');
  await exitOf(first);
  writeFileSync(key('d.json'), '4');
  start();
  await eventually(() => {
    expect(stored('d.json')).toBe('4');
  });
});

it.each(['SIGTERM', 'done file'])('ends by %s with a verified final sync', async (way) => {
  const child = start(20_000, '--watch-done');
  await synced();
  const ended = exitOf(child);
  writeFileSync(key('e.json'), '5');
  writeFileSync(paths.log, 'last line');
  if (way === 'SIGTERM') child.kill('SIGTERM');
  else writeFileSync(paths.done, '0');
  expect(await ended).toBe(0);
  expect(stored('e.json')).toBe('5');
  expect(shipped()).toContain('last line');
  expect(report().final).toEqual({ stateSynced: true, logsShipped: true });
});

it('gives up a job that hangs when it is told to end, and says so in time', async () => {
  const child = start(1500);
  await synced();
  writeFileSync(paths.hold, '');
  rmSync(paths.worker);
  writeFileSync(key('f.json'), '6');
  await eventually(() => {
    expect(existsSync(paths.worker)).toBe(true);
  });
  const ended = exitOf(child);
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
  expect(report().final).toMatchObject({ stateSynced: false });
});

it('gives up what waits behind a job that hangs, too', async () => {
  writeFileSync(paths.hold, '');
  // Else the last try, which has a process of its own, may have the time to ship them.
  writeFileSync(paths.holdLogs, '');
  const child = start(1500);
  await eventually(() => {
    expect(existsSync(paths.worker)).toBe(true);
  });
  const ended = exitOf(child);
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
  expect(report().final).toEqual({ stateSynced: false, logsShipped: false });
});

it('--final stores at once and ends', async () => {
  writeFileSync(key('g.json'), '7');
  expect(await exitOf(start(20_000, '--final'))).toBe(0);
  expect(stored('g.json')).toBe('7');
});

it('--final ends with 1 when the store stays away', async () => {
  rmSync(paths.store, { recursive: true });
  expect(await exitOf(start(20_000, '--final'))).toBe(1);
  expect(report()).toMatchObject({
    state: { status: 'failing', error: { code: 'STORAGE_UNAVAILABLE' } },
    final: { stateSynced: false, logsShipped: false },
  });
});
