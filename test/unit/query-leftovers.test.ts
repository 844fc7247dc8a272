/** What a query leaves behind in a warm container: taken away, or noticed. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLeftovers } from '../../src/runtime/query/leftovers.ts';
import { sealTree } from '../../src/runtime/query/tree-seal.ts';

let root = '';
const at = (path: string): string => join(root, path);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-leftovers-'));
});
afterEach(() => {
  chmodSync(root, 0o755);
  rmSync(root, { recursive: true, force: true });
});

describe('a copy of the state', () => {
  beforeEach(async () => {
    mkdirSync(at('deep/er'), { recursive: true });
    writeFileSync(at('deep/er/file'), 'as it was');
    chmodSync(at('deep/er/file'), 0o444);
    // The kernel’s clock for files goes in steps.
    await sleep(20);
  });
  it('that was only read is the same', () => {
    const isSame = sealTree(root);
    expect(readFileSync(at('deep/er/file'), 'utf8')).toBe('as it was');
    readdirSync(at('deep'));
    expect([isSame(), isSame()]).toEqual([true, true]);
  });
  it.each<[string, () => void]>([
    [
      'was written to and locked again, with its times put back',
      () => {
        const { atime, mtime } = statSync(at('deep/er/file'));
        chmodSync(at('deep/er/file'), 0o644);
        writeFileSync(at('deep/er/file'), 'as it is!');
        utimesSync(at('deep/er/file'), atime, mtime);
        chmodSync(at('deep/er/file'), 0o444);
      },
    ],
    [
      'may be written to',
      () => {
        chmodSync(root, 0o777);
      },
    ],
    [
      'has another file',
      () => {
        writeFileSync(at('deep/more'), '');
      },
    ],
    [
      'has a file less',
      () => {
        rmSync(at('deep/er/file'));
      },
    ],
    [
      'has a folder of another name',
      () => {
        renameSync(at('deep/er'), at('deep/est'));
      },
    ],
    [
      'is gone',
      () => {
        rmSync(root, { recursive: true });
        mkdirSync(root);
      },
    ],
  ])('that %s is another one', (_name, change) => {
    const isSame = sealTree(root);
    change();
    expect(isSame()).toBe(false);
  });
});

describe('what is left', () => {
  it('in a place is taken away, and who locked the place changed nothing', () => {
    mkdirSync(at('place'), { mode: 0o755 });
    const leftovers = createLeftovers({ places: [at('place'), at('none')], isStateSame: () => true });
    mkdirSync(at('place/locked/in'), { recursive: true });
    writeFileSync(at('place/locked/in/file'), 'x');
    chmodSync(at('place/locked'), 0);
    chmodSync(at('place'), 0o100);
    leftovers.remove();
    expect(readdirSync(at('place'))).toEqual([]);
    expect(statSync(at('place')).mode & 0o777).toBe(0o755);
  });
  it('in the state cannot be taken away', () => {
    const leftovers = createLeftovers({ places: [], isStateSame: () => false });
    expect(() => {
      leftovers.remove();
    }).toThrow('the copy of the state');
  });
});
