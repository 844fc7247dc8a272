/** What a sync stores, and what it leaves out (faults R36, R37; features E3, E12). */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StateManifest } from '../../src/runtime/state/manifest.ts';
import { cases } from '../support/full.ts';
import { MIB, openStateVolume, type StateVolume } from '../support/state-volume.ts';

/** A user that owns nothing. */
const NOBODY = 65_534;

let volume: StateVolume;
beforeEach(async () => {
  volume = await openStateVolume();
  await volume.keeper().restore();
});
afterEach(() => volume.close());

const newest = async (): Promise<StateManifest> => {
  const id = (await volume.archives.list()).at(-1);
  if (id === undefined) throw new Error('nothing is stored');
  return JSON.parse((await volume.archives.manifest(id)) ?? '') as StateManifest;
};
/** With the rights of a bot, that root has not: root may read what is locked. */
const asBot = async (work: () => Promise<unknown>): Promise<void> => {
  const { geteuid, seteuid } = process;
  if (geteuid?.() !== 0 || seteuid === undefined) {
    await work();
    return;
  }
  execFileSync('chown', ['-R', String(NOBODY), dirname(volume.statePath)]);
  seteuid(NOBODY);
  try {
    await work();
  } finally {
    seteuid(0);
  }
};
/** What a host would find that has nothing but the archive store. */
const elsewhere = async (): Promise<Record<string, string>> => {
  const other = await openStateVolume(volume.archives);
  try {
    await other.keeper().restore();
    return await other.tree();
  } finally {
    await other.close();
  }
};

describe('R36: what changes while it is stored', () => {
  it('is stored whole: each file is of one moment, and the archive can be unpacked', async () => {
    const path = join(volume.statePath, '.the0-state/hot.json');
    await volume.write({ '.the0-state/hot.json': '0'.repeat(50_000), 'quiet.json': 'quiet' });
    const writing = new AbortController();
    const writer = (async () => {
      for (let n = 0; !writing.signal.aborted; n += 1) {
        // Whole by rename, growing in place, shrinking in place: each is one letter all through.
        const letter = String(n % 10);
        if (n % 3 === 0) {
          await writeFile(`${path}.new`, letter.repeat(50_000));
          await rename(`${path}.new`, path);
        } else await writeFile(path, letter.repeat(n % 2 === 0 ? 80_000 : 20_000));
        await sleep(1);
      }
    })();
    const keeper = volume.keeper();
    for (let n = 0; n < 10; n += 1) await keeper.sync({ final: false });
    writing.abort();
    await writer;
    expect((await newest()).files).toBeGreaterThan(0);
    await elsewhere();
    expect(await keeper.sync({ final: true })).toMatchObject({ status: 'synced' });
    await rm(`${path}.new`, { force: true });
    await keeper.sync({ final: true });
    expect(await elsewhere()).toEqual(await volume.tree());
  });
  it('vanishes, and all else is stored', async () => {
    for (let n = 0; n < 300; n += 1) await volume.write({ [`f${String(n)}`]: String(n) });
    const going = volume.keeper().sync({ final: false });
    for (let n = 0; n < 300; n += 2) await rm(join(volume.statePath, `f${String(n)}`));
    await going;
    await volume.keeper().sync({ final: true });
    expect(await elsewhere()).toEqual(await volume.tree());
  });
  it('pipes, sockets and links are passed over with a note and never opened', async () => {
    await volume.write({ 'file.json': 'x' });
    const at = (name: string): string => join(volume.statePath, name);
    execFileSync('mkfifo', [at('pipe')]);
    await symlink('/etc/passwd', at('link'));
    await symlink('/', at('folder-link'));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at('socket'), resolve));
    try {
      await volume.keeper().sync({ final: true });
    } finally {
      server.close();
    }
    expect(await elsewhere()).toEqual({ 'file.json': 'x' });
    for (const name of ['pipe', 'link', 'folder-link', 'socket']) expect(volume.told.join()).toContain(name);
  });
  it('a pipe that takes the name of a known file does not block', async () => {
    await volume.write({ a: 'x', b: 'y' });
    const keeper = volume.keeper();
    await keeper.sync({ final: false });
    await rm(join(volume.statePath, 'a'));
    execFileSync('mkfifo', [join(volume.statePath, 'a')]);
    await keeper.sync({ final: true });
    expect(await elsewhere()).toEqual({ b: 'y' });
  });
  it('two writes within one tick of the clock, of the same length, are both seen', async () => {
    const keeper = volume.keeper();
    const path = join(volume.statePath, 'x.json');
    for (let n = 100; n < 100 + cases(15, 60); n += 1) {
      await volume.write({ 'x.json': String(n) });
      await keeper.sync({ final: false });
      // As soon as can be, and with the very time it had.
      const handle = await open(path, 'r+');
      await handle.write(String(n + 500));
      await handle.close();
      await keeper.sync({ final: false });
      expect((await newest()).tree).toBe(await treeNow());
    }
  });
});

const treeNow = async (): Promise<string> => {
  const { look } = await import('../../src/runtime/state/look.ts');
  const limits = { totalBytes: 8192 * MIB, fileBytes: 10 * MIB };
  return (await look({ statePath: volume.statePath, limits })).tree;
};

describe('R37: what is over the limits', () => {
  it('is named, the largest first, and all else is stored; nothing of it is read', async () => {
    await volume.write({ 'small.json': 'x', big: '', bigger: '' });
    await truncate(join(volume.statePath, 'big'), 11 * MIB);
    await truncate(join(volume.statePath, 'bigger'), 10 * 1024 * MIB);
    const report = await volume.keeper().sync({ final: true });
    expect(report).toMatchObject({
      status: 'synced',
      overLimit: [
        { path: 'bigger', bytes: 10 * 1024 * MIB },
        { path: 'big', bytes: 11 * MIB },
      ],
    });
    expect(await elsewhere()).toEqual({ 'small.json': 'x' });
    expect((await newest()).overLimit?.length).toBe(2);
  });
  it('in all: the largest are left out until the rest fits', async () => {
    await volume.write({ a: 'x'.repeat(600), b: 'x'.repeat(500), c: 'x'.repeat(100) });
    const report = await volume.keeper({ limits: { totalBytes: 700, fileBytes: 1000 } }).sync({ final: true });
    expect(report.overLimit).toEqual([{ path: 'a', bytes: 600 }]);
    expect(Object.keys(await elsewhere())).toEqual(['b', 'c']);
  });
  it('limits that became smaller later do not keep a stored state from its bot', async () => {
    await volume.write({ a: 'x'.repeat(5000) });
    await volume.keeper().sync({ final: true });
    await volume.dropVolumes();
    await volume.keeper({ attempt: 2, limits: { totalBytes: 10, fileBytes: 10 } }).restore();
    expect(Object.keys(await volume.tree())).toEqual(['a']);
  });
});

describe('a sync', () => {
  it('of what did not change stores nothing, whatever the times say', async () => {
    await volume.write({ a: 'x', 'd/e': 'y' });
    await volume.keeper().sync({ final: false });
    await utimes(join(volume.statePath, 'a'), 1, 1);
    await volume.keeper().sync({ final: false });
    await volume.keeper().sync({ final: true });
    expect((await volume.archives.list()).length).toBe(1);
  });
  it('stores that all is gone', async () => {
    await volume.write({ '.the0-state/a.json': 'x' });
    await volume.keeper().sync({ final: false });
    await rm(join(volume.statePath, '.the0-state'), { recursive: true });
    await volume.keeper().sync({ final: false });
    expect(await elsewhere()).toEqual({});
  });
  it('finds at the end what the stamps do not tell', async () => {
    await volume.write({ a: 'x' });
    await sleep(150);
    const keeper = volume.keeper();
    await keeper.sync({ final: false });
    const index = join(volume.the0Path, 'state-index.ndjson');
    await writeFile(index, (await readFile(index, 'utf8')).replace(/[0-9a-f]{64}/, '0'.repeat(64)));
    await volume.keeper().sync({ final: true });
    expect(await elsewhere()).toEqual({ a: 'x' });
  });
  it('stores again at the end what is gone from the store', async () => {
    await volume.write({ a: 'x' });
    await volume.keeper().sync({ final: false });
    await rm(join(volume.storePath, 'state/a0000000001/s0000000001.tar.gz'));
    await volume.keeper().sync({ final: true });
    expect(await elsewhere()).toEqual({ a: 'x' });
  });
  it('R32: on a volume that takes no byte more does not push the history out of the store', async () => {
    await volume.write({ a: '1' });
    await volume.keeper().sync({ final: false });
    await volume.write({ a: '2' });
    // A folder in its place: the marker cannot be written, as on a full disk.
    await mkdir(join(volume.the0Path, 'state-marker.json.new'));
    for (let n = 0; n < 15; n += 1) await volume.keeper().sync({ final: false });
    expect((await volume.archives.list()).length).toBe(2);
  });
  it.each([
    ['deep', `${'d/'.repeat(100)}f`],
    ['long', `${'n'.repeat(200)}/${'m'.repeat(200)}`],
    ['strange', 'line\nbreak and \\ and ünï😀 and "quotes"'],
    ['with a dot', './.hidden/..x'],
  ])('stores a path that is %s, and gives it back', async (_what, path) => {
    await volume.write({ [path]: 'x' });
    await volume.keeper().sync({ final: true });
    expect(await elsewhere()).toEqual(await volume.tree());
  });
  it('stores the rest when a name is no UTF-8, and says so', async () => {
    await volume.write({ a: 'x' });
    await writeFile(Buffer.concat([Buffer.from(`${volume.statePath}/`), Buffer.from([0xff, 0xfe])]), 'y');
    await volume.keeper().sync({ final: true });
    expect(await elsewhere()).toEqual({ a: 'x' });
    expect(volume.told.join()).toContain('\uFFFD');
  });
  it('stores the rest when a bot locked a file of its own', async () => {
    await volume.write({ a: 'x', b: 'y', 'c/d': 'z' });
    await chmod(join(volume.statePath, 'b'), 0);
    await chmod(join(volume.statePath, 'c'), 0);
    try {
      await asBot(() => volume.keeper().sync({ final: true }));
    } finally {
      await chmod(join(volume.statePath, 'c'), 0o755);
    }
    expect(await elsewhere()).toEqual({ a: 'x', 'c/': '' });
    for (const name of ['b', 'c']) expect(volume.told.join()).toContain(name);
  });
  it('cleans up what starts before it left unfinished', async () => {
    const left = join(volume.storePath, 'state/a0000000001');
    await mkdir(left, { recursive: true });
    await writeFile(join(left, 's0000000007.tar.gz'), randomBytes(100));
    await volume.keeper({ attempt: 2 }).restore();
    await volume.write({ a: 'x' });
    await volume.keeper({ attempt: 2 }).sync({ final: true });
    expect(await volume.archives.strays()).toEqual([]);
    expect(await elsewhere2()).toEqual({ a: 'x' });
  });
});

const elsewhere2 = async (): Promise<Record<string, string>> => {
  await volume.dropVolumes();
  await volume.keeper({ attempt: 3 }).restore();
  return volume.tree();
};
