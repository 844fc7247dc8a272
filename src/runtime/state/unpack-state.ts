/** A tar.gz of state unpacked into a folder of its own: files and folders alone, below that folder alone (feature E6). */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform, Writable, type Readable, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { WORK_FOLDER } from './scan.ts';
import { createTreeHash } from './tree-hash.ts';

export interface UnpackOptions {
  /** Undefined: only look whether it can be unpacked. */
  readonly target: string | undefined;
  readonly limits: { readonly totalBytes: number; readonly fileBytes: number };
  /** `skip`: as the reference does with what is no file or folder. `refuse`: ours never holds it, so there it is damage. */
  readonly foreign: 'skip' | 'refuse';
}

export interface Unpacked {
  /** Of the archive as it came. */
  readonly sha256: string;
  readonly tree: string;
  readonly skipped: readonly string[];
}

/** Of an archive that others made: more than any bot is known to have, and unpacked or refused in seconds (fault R34). */
const MAX_FOREIGN_ENTRIES = 100_000;
const MAX_DEPTH = 64;

/** Without `./` and the slash of a folder; undefined when it leaves the target or is not for it. Empty: the root itself. */
const plain = (name: string): string | undefined => {
  const path = name.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
  if (path === '' || path === '.') return '';
  const parts = path.split('/');
  const isFaulty = parts.some((part) => part === '' || part === '.' || part === '..') || path.includes('\0');
  return isFaulty || parts[0] === WORK_FOLDER ? undefined : path;
};

const metered = (hash: ReturnType<typeof createHash>): Transform =>
  new Transform({
    transform(chunk: Buffer, _encoding, next: TransformCallback) {
      hash.update(chunk);
      next(null, chunk);
    },
  });

/** @throws Error saying why it cannot be unpacked; what was unpacked by then is worth nothing */
export const unpackState = async (archive: Readable, options: UnpackOptions): Promise<Unpacked> => {
  const { target, limits, foreign } = options;
  const whole = createHash('sha256');
  const files = new Map<string, string>();
  const folders = new Set<string>();
  const skipped: string[] = [];
  let entries = 0;
  let total = 0;

  const take = async ({ name, type, size }: Header, content: Readable): Promise<void> => {
    entries += 1;
    if (foreign === 'skip' && entries > MAX_FOREIGN_ENTRIES) throw new Error('the archive has too many entries');
    const path = plain(name);
    const isPlain = type === 'file' || type === 'directory' || type === 'contiguous-file';
    // Whatever a bot could make is taken back from ours; of others we take what nobody in his right mind exceeds.
    const isTooDeep = foreign === 'skip' && (path ?? '').split('/').length > MAX_DEPTH;
    if (path === undefined || !isPlain || isTooDeep) {
      if (foreign === 'refuse') throw new Error(`the entry ${JSON.stringify(name.slice(0, 200))} is not allowed`);
      skipped.push(name);
      return;
    }
    if (path === '') return;
    if (type === 'directory') {
      folders.add(path);
      if (target !== undefined) await mkdir(join(target, path), { recursive: true });
      return;
    }
    total += size;
    if (total > limits.totalBytes) throw new Error('the archive is too large when unpacked');
    if (size > limits.fileBytes) throw new Error(`${path} is larger than the limit for a file of state`);
    const hash = createHash('sha256');
    if (target === undefined) {
      await pipeline(
        content,
        metered(hash),
        new Writable({
          write: (_chunk, _encoding, next) => {
            next();
          },
        }),
      );
    } else {
      await mkdir(dirname(join(target, path)), { recursive: true });
      await pipeline(content, metered(hash), createWriteStream(join(target, path), { mode: 0o644 }));
    }
    files.set(path, hash.digest('hex'));
  };

  const tar = extract();
  const unpacking = (async (): Promise<void> => {
    for await (const part of tar) {
      await take(part.header, part as unknown as Readable);
      part.resume();
    }
  })();
  await Promise.all([pipeline(archive, metered(whole), createGunzip(), tar), unpacking]);
  const tree = createTreeHash();
  for (const path of [...folders].sort()) tree.folder(path);
  for (const [path, sha256] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) tree.file(path, sha256);
  return { sha256: whole.digest('hex'), tree: tree.digest(), skipped };
};
