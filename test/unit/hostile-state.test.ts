/** Fault R34 for state: archives that others wrote below our names; what they hold beside files and folders is left out. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unpackState, type Unpacked } from '../../src/runtime/state/unpack-state.ts';

const MIB = 1024 ** 2;
const limits = { totalBytes: 64 * MIB, fileBytes: 10 * MIB };
let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-hostile-state-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

type Header = Parameters<ReturnType<typeof pack>['entry']>[0];
/** Bytes that are read at once. */
const PIECE = 4 * 1024;

type Entry = Header & { readonly name: string; readonly text?: string };
const tarOf = (entries: readonly Entry[]): Promise<Buffer> => {
  const tar = pack();
  for (const { text = '', ...header } of entries) tar.entry(header, text);
  tar.finalize();
  return buffer(tar);
};
const GOOD: Entry = { name: '.the0-state/good.json', text: '1' };

/** An archive in pieces, and how many bytes of it were asked for: what is refused early is not read to its end. */
const metered = (archive: Buffer): { readonly source: Readable; read(): number } => {
  let read = 0;
  const pieces = function* (): Generator<Buffer> {
    for (let at = 0; at < archive.length; at += PIECE) {
      const piece = archive.subarray(at, at + PIECE);
      read += piece.length;
      yield piece;
    }
  };
  return { source: Readable.from(pieces(), { highWaterMark: 1 }), read: () => read };
};

let round = 0;
const unpack = async (archive: Buffer, foreign: 'skip' | 'refuse', within = limits) => {
  round += 1;
  const parent = join(root, String(round));
  const target = join(parent, 'state');
  mkdirSync(target, { recursive: true });
  const { source, read } = metered(archive);
  let thrown: unknown;
  let found: Unpacked | undefined;
  try {
    found = await unpackState(source, { target, limits: within, foreign });
  } catch (error) {
    thrown = error;
  }
  // Whatever comes: nothing beside the folder, and nothing in it but files and folders without special bits.
  expect(readdirSync(parent)).toEqual(['state']);
  for (const entry of readdirSync(target, { withFileTypes: true, recursive: true })) {
    expect(entry.isFile() || entry.isDirectory()).toBe(true);
    expect(statSync(join(entry.parentPath, entry.name)).mode & 0o7000).toBe(0);
  }
  return { target, thrown, found, read: read() };
};

/** Each head with its sum as it must be. */
const summed = (bytes: Buffer): Buffer => {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    bytes.fill(' ', at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
};
/** One name for another of the same length: the packer would mend it. */
const renamed = (tar: Buffer, from: string, to: string): Buffer =>
  summed(Buffer.from(tar.toString('latin1').replaceAll(from, to), 'latin1'));

describe('R34: an entry that is left out of an archive of others, and damage in one of ours', () => {
  it.each<[string, () => Promise<Buffer>]>([
    ['parent', async () => renamed(await tarOf([GOOD, { name: 'aa/evil' }]), 'aa/evil', '../evil')],
    [
      'in the middle',
      async () => renamed(await tarOf([GOOD, { name: 'a/bb/cc/evil' }]), 'a/bb/cc/evil', 'a/../../evil'),
    ],
    ['absolute', async () => renamed(await tarOf([GOOD, { name: 'atmp/evil' }]), 'atmp/evil', '/tmp/evil')],
    ['pax name', () => tarOf([GOOD, { name: 'harmless', pax: { path: '../evil' } }])],
    ['symbolic link', () => tarOf([GOOD, { name: 'out', type: 'symlink', linkname: '/etc' }])],
    ['hard link', () => tarOf([GOOD, { name: 'out', type: 'link', linkname: '.the0-state/good.json' }])],
    ['device', () => tarOf([GOOD, { name: 'null', type: 'character-device', devmajor: 1, devminor: 3 }])],
    ['disk', () => tarOf([GOOD, { name: 'disk', type: 'block-device', devmajor: 8, devminor: 0 }])],
    ['pipe', () => tarOf([GOOD, { name: 'pipe', type: 'fifo' }])],
    ['our own working folder', () => tarOf([GOOD, { name: '.drover-restore/evil' }])],
  ])('%s', async (_name, make) => {
    const tar = gzipSync(await make());
    const { target, thrown, found } = await unpack(tar, 'skip');
    expect(thrown).toBeUndefined();
    expect(found?.skipped).toHaveLength(1);
    expect(readFileSync(join(target, GOOD.name), 'utf8')).toBe('1');
    expect((await unpack(tar, 'refuse')).thrown).toBeInstanceOf(Error);
  });

  it('a file below a link is a file of its own: the link is not there', async () => {
    const tar = await tarOf([GOOD, { name: 'out', type: 'symlink', linkname: root }, { name: 'out/evil', text: 'x' }]);
    const { target, thrown } = await unpack(gzipSync(tar), 'skip');
    expect(thrown).toBeUndefined();
    expect(readFileSync(join(target, 'out/evil'), 'utf8')).toBe('x');
    expect(readdirSync(root)).not.toContain('evil');
  });
  it('special bits and a mode that locks out', async () => {
    const tar = await tarOf([
      { ...GOOD, mode: 0o6000 },
      { name: 'locked', type: 'directory', mode: 0 },
      { name: 'locked/in', text: 'x' },
    ]);
    const { target, thrown } = await unpack(gzipSync(tar), 'skip');
    expect(thrown).toBeUndefined();
    expect(readFileSync(join(target, 'locked/in'), 'utf8')).toBe('x');
  });
});

describe('R34: an archive of state that is refused as a whole', () => {
  const zeros = (bytes: number): Buffer => gzipSync(Buffer.alloc(bytes));
  /** The head of an entry that says it has this size. */
  const headOf = async (name: string, size: number): Promise<Buffer> => {
    const head = (await tarOf([{ name }])).subarray(0, 512);
    head.write(`${size.toString(8).padStart(11, '0')} `, 124, 'latin1');
    return summed(head);
  };

  it('a bomb of 4 GB in one file, before it is inflated', async () => {
    const piece = zeros(64 * MIB);
    // A gzip may have many members; tar goes on over them.
    const bomb = Buffer.concat([
      gzipSync(await headOf('bomb', 4 * 1024 ** 3)),
      ...Array.from({ length: 64 }, () => piece),
    ]);
    const { thrown, read } = await unpack(bomb, 'skip');
    expect(String(thrown)).toMatch(/larger than a file of state may be|too large/);
    expect(read).toBeLessThan(bomb.length / 10);
  });
  it('many files that are too much together', async () => {
    const small = { totalBytes: 4 * MIB, fileBytes: MIB };
    const entries = Array.from({ length: 5 }, (_none, n) => ({ name: `f${String(n)}`, text: '0'.repeat(MIB - 1) }));
    const { thrown } = await unpack(gzipSync(await tarOf(entries)), 'skip', small);
    expect(String(thrown)).toMatch(/too large when unpacked/);
  });
  it('a million entries, of which it reads no more than it must', async () => {
    // A folder is no file to be read: the number counts, whatever they are.
    const one = (await tarOf([{ name: 'a/', type: 'directory' }])).subarray(0, 512);
    // A gzip may have many members; tar goes on over them.
    const tenThousand = gzipSync(Buffer.concat(Array.from({ length: 10_000 }, () => one)));
    const many = Buffer.concat(Array.from({ length: 100 }, () => tenThousand));
    const { source, read } = metered(many);
    const reading = unpackState(source, { target: undefined, limits, foreign: 'skip' });
    await expect(reading).rejects.toThrow('the archive has too many entries');
    expect(read()).toBeLessThan(many.length / 2);
  });
  it.each<[string, (tar: Buffer) => Buffer]>([
    ['no gzip', () => Buffer.from('words')],
    ['nothing at all', () => Buffer.alloc(0)],
    ['cut off in the gzip', (tar) => gzipSync(tar).subarray(0, -20)],
    ['cut off in the tar', (tar) => gzipSync(tar.subarray(0, 700))],
    ['with a header that is not of its sum', (tar) => gzipSync(Buffer.concat([Buffer.from('x'), tar.subarray(1)]))],
  ])('%s', async (_name, damage) => {
    const tar = await tarOf([{ name: 'a', text: 'x'.repeat(5_000) }, GOOD]);
    expect((await unpack(damage(tar), 'skip')).thrown).toBeInstanceOf(Error);
  });
});
