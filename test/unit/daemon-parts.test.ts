/** Watching and digests on real folders. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createDebounce } from '../../src/runtime/daemon/debounce.ts';
import { durationMs, parseDaemonFlags } from '../../src/runtime/daemon/flags.ts';
import { treeDigest } from '../../src/runtime/daemon/tree-digest.ts';
import { watchTree, type TreeWatch } from '../../src/runtime/daemon/watch-tree.ts';
import { eventually } from '../support/eventually.ts';

let root = '';
let tree: TreeWatch | undefined;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tree-'));
});
afterEach(() => {
  tree?.close();
  vi.useRealTimers();
  rmSync(root, { recursive: true, force: true });
});
const file = (path: string, text = 'x'): void => {
  writeFileSync(join(root, path), text);
};
const seen = async (changes: { mockClear(): unknown }, act: () => void): Promise<void> => {
  changes.mockClear();
  act();
  await eventually(() => {
    expect(changes).toHaveBeenCalled();
  });
};

it('sees writes in nested, new, moved-in and renamed folders, and lets vanished ones go', async () => {
  mkdirSync(join(root, 'a/b'), { recursive: true });
  const onChange = vi.fn();
  tree = watchTree({ root, onChange, onLimit: vi.fn() });
  const folders = (count: number) =>
    eventually(() => {
      expect(tree?.count()).toBe(count);
    });
  expect(tree.count()).toBe(3);
  await seen(onChange, () => {
    file('a/b/one');
  });
  mkdirSync(join(root, 'new/deep/er'), { recursive: true });
  await folders(6);
  await seen(onChange, () => {
    file('new/deep/er/two');
  });
  const outside = mkdtempSync(join(tmpdir(), 'outside-'));
  mkdirSync(join(outside, 'x/y'), { recursive: true });
  renameSync(join(outside, 'x'), join(root, 'x'));
  rmSync(outside, { recursive: true });
  await folders(8);
  await seen(onChange, () => {
    file('x/y/three');
  });
  renameSync(join(root, 'x'), join(root, 'z'));
  mkdirSync(join(root, 'x'));
  await folders(9);
  await seen(onChange, () => {
    file('z/y/four');
  });
  await seen(onChange, () => {
    file('x/five');
  });
  for (const name of ['a', 'new', 'x', 'z']) rmSync(join(root, name), { recursive: true });
  await folders(1);
});

it('says once that not every folder is watched', () => {
  for (const name of ['a', 'b', 'c']) mkdirSync(join(root, name));
  const onLimit = vi.fn();
  tree = watchTree({ root, onChange: vi.fn(), onLimit, mostFolders: 2 });
  expect(tree.count()).toBe(2);
  expect(onLimit).toHaveBeenCalledTimes(1);
});

it('gives a digest that any change of the tree changes, and nothing else', async () => {
  mkdirSync(join(root, 'd'));
  file('d/one', 'abc');
  file('two');
  const digests = [await treeDigest(root)];
  expect(await treeDigest(root)).toBe(digests[0]);
  const changes = [
    () => {
      file('d/one', 'abd');
    },
    () => {
      utimesSync(join(root, 'two'), 1, 1);
    },
    () => {
      renameSync(join(root, 'two'), join(root, 'three'));
    },
    () => {
      mkdirSync(join(root, 'empty'));
    },
    () => {
      rmSync(join(root, 'd/one'));
    },
  ];
  for (const change of changes) {
    change();
    digests.push(await treeDigest(root));
  }
  expect(new Set(digests).size).toBe(digests.length);
  expect(await treeDigest(join(root, 'not-there'))).toBe(await treeDigest(join(root, 'nor-this')));
});

it('runs after the last poke, and at the latest after the longest time', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const run = vi.fn();
  const debounce = createDebounce(500, 5000, run);
  debounce.poke();
  await vi.advanceTimersByTimeAsync(400);
  debounce.poke();
  await vi.advanceTimersByTimeAsync(400);
  expect(run).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(101);
  expect(run).toHaveBeenCalledTimes(1);
  for (let n = 0; n < 60; n += 1) {
    debounce.poke();
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(run).toHaveBeenCalledTimes(2);
});

it('reads the flags', () => {
  expect(parseDaemonFlags(['--interval', '1m30s', '--watch-done'])).toMatchObject({
    intervalMs: 90_000,
    'watch-done': true,
  });
  expect(() => durationMs('soon')).toThrow('not a time');
  expect(() => parseDaemonFlags(['--nonsense'])).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
});
