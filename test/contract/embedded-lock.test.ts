/** One process a data folder; the lock is the kernel's and goes with its holder. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedStores } from '../../src/adapters/embedded/embedded-stores.ts';
import { codeOf, newCommit, oneTo } from './commits.ts';
import { makeDataDir, spawnScript, type DataDir } from './embedded-support.ts';

describe('the lock of a data folder', () => {
  let dir: DataDir;
  const children: ChildProcess[] = [];
  beforeEach(async () => {
    dir = await makeDataDir();
  });
  afterEach(async () => {
    await Promise.all(children.splice(0).map(kill));
    await dir.remove();
  });

  const kill = async (child: ChildProcess): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const hold = async (): Promise<readonly [string, ChildProcess]> => {
    const child = spawnScript('hold-data-dir.ts', dir.path);
    children.push(child);
    if (child.stdout === null) throw new Error('no output');
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return [line, child];
  };
  const open = () => openEmbeddedStores({ dataDir: dir.path, writer: 'test', now: Date.now });

  it('refuses a second process while the first holds it, and lets it in after a close', async () => {
    const stores = await open();
    expect((await hold())[0]).toBe('STORE_LOCKED');
    await stores.events.append(newCommit('bot:a', 0));
    await stores.close();
    expect((await hold())[0]).toBe('held');
  });

  it('refuses a second opening in the same process, and the first keeps its lock', async () => {
    const stores = await open();
    expect(codeOf(await open().catch((thrown: unknown) => thrown))).toBe('STORE_LOCKED');
    expect((await hold())[0]).toBe('STORE_LOCKED');
    await stores.close();
  });

  it('is free again as soon as the holder is killed', async () => {
    const [line, child] = await hold();
    expect(line).toBe('held');
    expect(codeOf(await open().catch((thrown: unknown) => thrown))).toBe('STORE_LOCKED');
    await kill(child);
    const stores = await open();
    expect(await stores.events.head()).toBe(0);
    await stores.close();
  });

  it('lets exactly one in of several that start together on a new folder', async () => {
    const lines = (await Promise.all(oneTo(3).map(hold))).map(([line]) => line);
    expect([...lines].sort()).toEqual(['STORE_LOCKED', 'STORE_LOCKED', 'held']);
  });

  it('keeps others of the machine out of the folder and its files', async () => {
    const stores = await open();
    const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    expect(await modeOf(dir.path)).toBe(0o700);
    expect(await modeOf(dir.database)).toBe(0o600);
    expect(await modeOf(`${dir.database}-wal`)).toBe(0o600);
    await stores.close();
  });
});
