/**
 * One number for a tree: differs when a path, size, mtime, ctime or inode does. The sum of the entries' hashes does not
 * depend on their order, so nothing is sorted or kept: memory stays the same for any number of files.
 */
import { createHash } from 'node:crypto';
import { lstatSync, opendirSync, type Dir } from 'node:fs';
import { join } from 'node:path';

/** Entries between two pauses: signals and events get their turn. */
const ENTRIES_A_TURN = 512;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const openFolder = (path: string): Dir | undefined => {
  try {
    return opendirSync(path, { bufferSize: 256 });
  } catch {
    // Gone or replaced since its parent was read: its parent's own entry says so.
    return undefined;
  }
};

/** `onFolder` is told each folder, the root included. A root that is not there has a digest too. */
export const treeDigest = async (root: string, onFolder?: (path: string) => void): Promise<string> => {
  const sums = new Uint32Array(4);
  let entries = 0;
  const add = (name: string, path: string): boolean => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found === undefined) return false;
    // A folder's own size and times change with its entries; its entries are counted themselves.
    const folder = found.isDirectory();
    const facts = folder
      ? `${name}\0d${String(found.ino)}`
      : `${name}\0${String(found.size)} ${String(found.mtimeMs)} ${String(found.ctimeMs)} ${String(found.ino)}`;
    const hash = createHash('sha1').update(facts).digest();
    for (let part = 0; part < 4; part += 1) sums[part] = (sums[part] ?? 0) + hash.readUInt32LE(part * 4);
    return folder;
  };
  const folders = [''];
  for (let name = folders.pop(); name !== undefined; name = folders.pop()) {
    const path = join(root, name);
    onFolder?.(path);
    const folder = openFolder(path);
    if (folder === undefined) continue;
    try {
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
        const below = name === '' ? entry.name : `${name}/${entry.name}`;
        if (add(below, join(root, below))) folders.push(below);
        entries += 1;
        if (entries % ENTRIES_A_TURN === 0) await turn();
      }
    } finally {
      folder.closeSync();
    }
  }
  return `${String(entries)}:${sums.join(':')}`;
};
