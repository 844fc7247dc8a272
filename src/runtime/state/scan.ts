/** What there is under `/state`: regular files and folders; everything else is passed over, never opened (fault R36). */
import { lstatSync, type Stats } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { isPassedOver } from './read-file.ts';

export interface ScannedFile {
  /** Relative, with `/`. */
  readonly path: string;
  readonly size: number;
  /** Size, mtime, ctime and inode: where it is the same, so is the content. */
  readonly stamp: string;
  /** It was last touched so long before the scan that another touch would have another time. */
  readonly isSettled: boolean;
}

export interface Scan {
  /** Sorted by path. */
  readonly files: readonly ScannedFile[];
  readonly folders: readonly string[];
  /** Links, pipes, sockets and devices; and what cannot be reached. */
  readonly skipped: readonly string[];
}

/** Where a restore works; never part of a state. */
export const WORK_FOLDER = '.drover-restore';

const ENTRIES_AT_ONCE = 256;
/** More than a tick of any kernel's clock for files, milliseconds. */
const TICK_MS = 100;

const byPath = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** @throws as the file system does, but never for what vanishes while it is looked at, or is locked */
export const scanTree = async (root: string): Promise<Scan> => {
  const settledBefore = Date.now() - TICK_MS;
  const files: ScannedFile[] = [];
  const folders: string[] = [];
  const skipped: string[] = [];
  const statOf = (path: string): Stats | undefined => {
    try {
      return lstatSync(join(root, path));
    } catch (thrown) {
      if (!isPassedOver(thrown)) throw thrown;
      // It is gone; or its name is too long, or no UTF-8, and it cannot be reached by it.
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT' || path.includes('\uFFFD')) skipped.push(path);
      return undefined;
    }
  };
  const walk = async (folder: string): Promise<void> => {
    const below: string[] = [];
    for await (const entry of await opendir(join(root, folder), { bufferSize: ENTRIES_AT_ONCE })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (path === WORK_FOLDER) continue;
      const info = statOf(path);
      if (info === undefined) continue;
      if (info.isDirectory()) below.push(path);
      else if (info.isFile()) {
        const { size, mtimeMs, ctimeMs, ino } = info;
        files.push({ path, size, stamp: [size, mtimeMs, ctimeMs, ino].join('/'), isSettled: ctimeMs < settledBefore });
      } else skipped.push(path);
    }
    for (const path of below) {
      folders.push(path);
      await walk(path).catch((thrown: unknown) => {
        if (!isPassedOver(thrown)) throw thrown;
        if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') skipped.push(path);
      });
    }
  };
  await walk('');
  return {
    files: files.sort((a, b) => byPath(a.path, b.path)),
    folders: folders.sort(byPath),
    skipped: skipped.sort(byPath),
  };
};

export interface Limited {
  readonly kept: readonly ScannedFile[];
  /** Largest first. */
  readonly over: readonly ScannedFile[];
}

/** Contract §4: files over the limit are left out, then the largest until the sum fits. Pure. */
export const withinLimits = (
  files: readonly ScannedFile[],
  limits: { readonly totalBytes: number; readonly fileBytes: number },
): Limited => {
  const over = new Set(files.filter(({ size }) => size > limits.fileBytes));
  let total = files.reduce((sum, file) => (over.has(file) ? sum : sum + file.size), 0);
  if (total > limits.totalBytes) {
    for (const file of [...files].sort((a, b) => b.size - a.size)) {
      if (total <= limits.totalBytes) break;
      if (over.has(file)) continue;
      over.add(file);
      total -= file.size;
    }
  }
  return {
    kept: files.filter((file) => !over.has(file)),
    over: [...over].sort((a, b) => b.size - a.size),
  };
};
