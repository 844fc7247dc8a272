/** Code that the disk of the engine has no room for (row B4), and a code folder that a former run has left. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyFolder } from '../../src/runtime/empty-folder.ts';
import { unpackCode } from '../../src/runtime/unpack-code.ts';
import { rawZip } from '../support/raw-zip.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-room-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const isRoot = process.getuid?.() === 0;

describe('code', () => {
  it.runIf(isRoot)('case B4: that the disk has no room for is told with both numbers, and is tried again', async () => {
    const small = join(root, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small], { stdio: 'ignore' });
    try {
      const archive = join(root, 'code.zip');
      writeFileSync(
        archive,
        rawZip([{ name: 'main.py' }, { name: 'model.bin', content: Buffer.alloc(3 * 1024 ** 2) }]),
      );
      await expect(unpackCode(archive, small)).rejects.toMatchObject({
        code: 'HOST_PRESSURE',
        class: 'retryable',
        message: expect.stringMatching(/needs 3\.0 MiB in .*small, and 1\.0 MiB are free/) as string,
      });
    } finally {
      execFileSync('umount', [small]);
    }
  });
  it('case B4: of a former run is removed, whatever its modes are, and links are not followed', async () => {
    const outside = join(root, 'outside');
    const folder = join(root, 'bot');
    mkdirSync(join(folder, 'locked/inner'), { recursive: true });
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), 'x');
    writeFileSync(join(folder, 'locked/inner/file'), 'x');
    symlinkSync(outside, join(folder, 'locked/link'));
    chmodSync(join(folder, 'locked/inner'), 0);
    chmodSync(join(folder, 'locked'), 0o500);
    await emptyFolder(folder);
    expect(readdirSync(folder)).toEqual([]);
    expect(readdirSync(outside)).toEqual(['kept']);
  });
});
