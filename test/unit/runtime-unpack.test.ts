/** Hostile and broken archives (fault R34): nothing lands outside the target, and each gets a reason. */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { rawZip } from '../support/raw-zip.ts';
import type { Contents } from '../../src/runtime/entry-rules.ts';
import { unpackCode } from '../../src/runtime/unpack-code.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-unpack-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});
let target: string;
let archive: string;
let round = 0;
beforeEach(() => {
  round += 1;
  target = join(root, `t${String(round)}`, 'inner', 'bot');
  archive = join(root, `a${String(round)}.zip`);
  mkdirSync(target, { recursive: true });
});

interface Entry {
  readonly name: string;
  readonly content?: string | Buffer;
  readonly mode?: number;
}
const pack = async (entries: readonly Entry[]): Promise<Buffer> => {
  const zip = new ZipFile();
  for (const { name, content = 'x', mode = 0o100644 } of entries) {
    zip.addBuffer(Buffer.from(content), name, { mode });
  }
  zip.end();
  return buffer(zip.outputStream);
};
/** yazl refuses hostile names, so a harmless one of the same length is overwritten in the bytes. */
const renamed = (bytes: Buffer, from: string, to: string): Buffer => {
  expect(to.length).toBe(from.length);
  return Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1');
};
const unpack = (bytes: Buffer, limits?: Parameters<typeof unpackCode>[2]): Promise<Contents> => {
  writeFileSync(archive, bytes);
  return unpackCode(archive, target, limits);
};
const refused = async (bytes: Buffer, code: string, limits?: Parameters<typeof unpackCode>[2]): Promise<void> => {
  await expect(unpack(bytes, limits)).rejects.toMatchObject({ code });
  expect(existsSync(join(target, '../evil'))).toBe(false);
  expect(existsSync(join(target, '../../evil'))).toBe(false);
};

describe('a code archive', () => {
  it('is unpacked with its folders and modes, never with setuid', async () => {
    await unpack(
      await pack([
        { name: 'main.py', content: 'print(1)' },
        { name: 'vendor/lib/a.py' },
        { name: 'run.sh', mode: 0o100755 },
        { name: 'suid', mode: 0o104777 },
        { name: 'nobody', mode: 0o100000 },
      ]),
    );
    expect(readFileSync(join(target, 'main.py'), 'utf8')).toBe('print(1)');
    expect(existsSync(join(target, 'vendor/lib/a.py'))).toBe(true);
    const modeOf = (name: string): number => statSync(join(target, name)).mode & 0o7777;
    expect([modeOf('run.sh'), modeOf('suid'), modeOf('nobody')]).toEqual([0o755, 0o777, 0o644]);
  });
  it('is unpacked with files of any size, stored and deflated', async () => {
    const large = randomBytes(6 * 1024 ** 2);
    const text = Buffer.from(randomBytes(4 * 1024 ** 2).toString('hex'));
    await unpack(
      await pack([{ name: 'a' }, { name: 'large', content: large }, { name: 'text', content: text }, { name: 'z' }]),
    );
    expect(readFileSync(join(target, 'large')).equals(large)).toBe(true);
    expect(readFileSync(join(target, 'text')).equals(text)).toBe(true);
    expect(readdirSync(target).sort()).toEqual(['a', 'large', 'text', 'z']);
  });
  it('packed with a leading `./` is unpacked all the same', async () => {
    await unpack(renamed(await pack([{ name: 'aamain.py' }]), 'aamain.py', './main.py'));
    expect(existsSync(join(target, 'main.py'))).toBe(true);
  });
  it('whose content differs from its checksum is told as corrupt', async () => {
    const bytes = await pack([{ name: 'main.py', content: 'risk=0.01' }]);
    // The central directory holds the checksum at 16 bytes behind its signature.
    const at = bytes.indexOf(Buffer.from('PK\u0001\u0002')) + 16;
    bytes.writeUInt32LE((bytes.readUInt32LE(at) ^ 1) >>> 0, at);
    await refused(bytes, 'ARCHIVE_CORRUPT');
  });
  it('that is a folder is told as missing', async () => {
    mkdirSync(archive);
    await expect(unpackCode(archive, target)).rejects.toMatchObject({ code: 'ARCHIVE_MISSING' });
  });
  it('that is missing, empty, cut off or no zip is told as such', async () => {
    await expect(unpackCode(join(root, 'nowhere.zip'), target)).rejects.toMatchObject({ code: 'ARCHIVE_MISSING' });
    await refused(Buffer.alloc(0), 'ARCHIVE_CORRUPT');
    await refused(Buffer.from('this is no zip at all, only words'), 'ARCHIVE_CORRUPT');
    const whole = await pack([{ name: 'main.py', content: 'y'.repeat(5_000) }]);
    await refused(whole.subarray(0, whole.length - 30), 'ARCHIVE_CORRUPT');
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 40, 48);
    await refused(damaged, 'ARCHIVE_CORRUPT');
  });
  it.each([
    ['aa/evil', '../evil'],
    ['aa/bb/evil', '../../evil'],
    ['aa/bb/cc/evil', 'aa/../../evil'],
  ])('case D12: with %s renamed to %s is unpacked without that entry, which is told', async (from, to) => {
    const bytes = renamed(await pack([{ name: 'main.py' }, { name: from }]), from, to);
    expect((await unpack(bytes)).skipped).toEqual([{ name: to, why: 'leads out of the folder' }]);
    expect(readdirSync(target)).toEqual(['main.py']);
    expect(existsSync(join(target, '../evil'))).toBe(false);
    expect(existsSync(join(target, '../../evil'))).toBe(false);
  });
  it.each([
    ['aaa/evil', '/tmp/eee', 'tmp/eee'],
    ['aa/bb/aa', 'aa/../ab', 'ab'],
    ['aaaa/evil', 'aa\\evil\\x', 'aa\\evil\\x'],
    ['aaaa/evil', 'aa/./evil', 'aa/evil'],
    ['aa:b', 'C:/b', 'C:/b'],
  ])('case D12: %s renamed to %s lies inside, as on the reference', async (from, to, at) => {
    expect((await unpack(renamed(await pack([{ name: from }]), from, to))).skipped).toEqual([]);
    expect(readFileSync(join(target, at), 'utf8')).toBe('x');
  });
  it.each([
    ['a symlink', 0o120777, /is a symbolic link/],
    ['a device', 0o060666, /is a device/],
    ['a character device', 0o020666, /is a device/],
    ['a pipe', 0o010666, /is a named pipe/],
    ['a socket', 0o140666, /is a socket/],
  ])('case D12: with %s is unpacked without it', async (_what, mode, why) => {
    const bytes = await pack([{ name: 'main.py' }, { name: 'odd', content: '/etc/passwd', mode }]);
    expect((await unpack(bytes)).skipped).toEqual([{ name: 'odd', why: expect.stringMatching(why) as string }]);
    expect(readdirSync(target)).toEqual(['main.py']);
  });
  it('case D12: with the same name twice has the content of the last one', async () => {
    await unpack(
      renamed(
        await pack([
          { name: 'main.py', content: 'old' },
          { name: 'niam.py', content: 'new' },
        ]),
        'niam.py',
        'main.py',
      ),
    );
    expect(readFileSync(join(target, 'main.py'), 'utf8')).toBe('new');
  });
  it('case D12: names arrive as the bytes that they are', async () => {
    const name = Buffer.from([0x63, 0x61, 0x66, 0xe9]);
    await unpack(rawZip([{ name }, { name: 'größe.csv' }]));
    expect(readdirSync(target, { encoding: 'buffer' }).map((found) => found.toString('hex'))).toEqual([
      name.toString('hex'),
      Buffer.from('größe.csv').toString('hex'),
    ]);
  });
  it('case D12: nested without end, or with a name that no disk takes, is unpacked without it', async () => {
    const deep = await unpack(
      await pack([{ name: `${'d/'.repeat(100)}f` }, { name: 'n'.repeat(300) }, { name: 'ok' }]),
    );
    expect(deep.skipped.map(({ why }) => why)).toEqual([
      'is nested more than 64 levels deep',
      'has a name that is too long',
    ]);
    expect(readdirSync(target)).toEqual(['ok']);
  });
  it('case B4: of zeros is unpacked: it is no bomb while it is no larger than the limit', async () => {
    await unpack(await pack([{ name: 'zeros', content: Buffer.alloc(32 * 1024 ** 2) }]));
    expect(statSync(join(target, 'zeros')).size).toBe(32 * 1024 ** 2);
  });
  it('that unpacks to far more than it is, is refused before it does', async () => {
    await refused(await pack([{ name: 'bomb', content: Buffer.alloc(32 * 1024 ** 2) }]), 'ARCHIVE_UNSAFE', {
      entries: 20,
      totalBytes: 31 * 1024 ** 2,
    });
    expect(existsSync(join(target, 'bomb'))).toBe(false);
  });
  it('with too many entries, or too large in sum, is refused', async () => {
    const many = await pack(Array.from({ length: 30 }, (_, n) => ({ name: `f${String(n)}` })));
    await refused(many, 'ARCHIVE_UNSAFE', { entries: 20, totalBytes: 1e6 });
    const large = await pack([
      { name: 'a', content: 'a'.repeat(600) },
      { name: 'b', content: 'b'.repeat(600) },
    ]);
    await refused(large, 'ARCHIVE_UNSAFE', { entries: 20, totalBytes: 1_000 });
  });
});
