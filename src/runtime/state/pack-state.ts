/** A tree as tar.gz, made while it is read. Every file is read whole before its entry begins: the archive is never torn. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable, Transform, type TransformCallback } from 'node:stream';
import { constants, createGzip } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import { readWhole } from './read-file.ts';
import type { Limited, Scan } from './scan.ts';
import { createTreeHash } from './tree-hash.ts';

export interface Packed {
  readonly sha256: string;
  readonly size: number;
  readonly tree: string;
  readonly files: number;
  readonly bytes: number;
  readonly torn: readonly string[];
  /** Path → hash of the content that went in. */
  readonly hashes: ReadonlyMap<string, string>;
}

export interface Packing {
  readonly content: Readable;
  /** Once `content` was read to its end. */
  readonly packed: Promise<Packed>;
}

const entry = (tar: Pack, header: { name: string; type: 'file' | 'directory' }, content: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const mode = header.type === 'directory' ? 0o755 : 0o644;
    // A fixed time: the same tree is the same archive.
    const full = { ...header, mode, size: content.length, mtime: new Date(0), uid: 1_000, gid: 1_000 };
    tar.entry(full, content, (error) => {
      if (error == null) resolve();
      else reject(error);
    });
  });

const meter = () => {
  const hash = createHash('sha256');
  let size = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, next: TransformCallback) {
      hash.update(chunk);
      size += chunk.length;
      next(null, chunk);
    },
  });
  return { stream, result: () => ({ sha256: hash.digest('hex'), size }) };
};

export const packState = (root: string, { folders }: Scan, { kept }: Limited, maxFileBytes: number): Packing => {
  const tar = pack();
  const tree = createTreeHash();
  const hashes = new Map<string, string>();
  const torn: string[] = [];
  let bytes = 0;
  const fill = async (): Promise<void> => {
    for (const path of folders) {
      tree.folder(path);
      await entry(tar, { name: `${path}/`, type: 'directory' }, Buffer.alloc(0));
    }
    for (const { path } of kept) {
      const file = await readWhole(join(root, path), maxFileBytes);
      // Gone, locked, or no file any more: the next sync sees what is there then.
      if (file === undefined) {
        torn.push(path);
        continue;
      }
      if (file.torn) torn.push(path);
      const sha256 = createHash('sha256').update(file.content).digest('hex');
      tree.file(path, sha256);
      hashes.set(path, sha256);
      bytes += file.content.length;
      await entry(tar, { name: path, type: 'file' }, file.content);
    }
    tar.finalize();
  };
  const { stream, result } = meter();
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  const filled = fill();
  filled.catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  // A failure on the way must end the reader with an error, never with half an archive.
  const chain = Readable.from(tar, { objectMode: false });
  const fail = (error: Error): void => {
    stream.destroy(error);
  };
  chain.on('error', fail).pipe(gzip).on('error', fail).pipe(stream);
  const ended = new Promise<void>((resolve, reject) => {
    stream.once('end', resolve);
    stream.once('error', reject);
    stream.once('close', () => {
      reject(new Error('the archive was not read to its end'));
    });
  });
  const packed = Promise.all([filled, ended]).then((): Packed => ({
    ...result(),
    tree: tree.digest(),
    files: hashes.size,
    bytes,
    torn,
    hashes,
  }));
  packed.catch(() => undefined);
  return { content: stream, packed };
};
