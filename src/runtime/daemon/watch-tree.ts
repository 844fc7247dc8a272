/**
 * Tells of any change below a folder, with one inotify watch per folder. Node's own recursive watching keeps one per file
 * on Linux: too much memory for a bot with many files (pitfall 33: watching must be recursive).
 */
import { lstatSync, opendirSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';

export interface WatchTreeOptions {
  readonly root: string;
  readonly onChange: () => void;
  /** Called once, when the system or `mostFolders` allows no more watches: changes in the rest are seen by sweeps alone. */
  readonly onLimit: (detail: string) => void;
  readonly mostFolders?: number;
}

export interface TreeWatch {
  /** Watches this folder when it is not watched yet: sweeps repair what an event lost in a race left out. */
  ensure(path: string): void;
  /** How many folders are watched. */
  count(): number;
  close(): void;
}

const MOST_FOLDERS = 8192;

interface Watched {
  readonly watcher: FSWatcher;
  readonly inode: number;
}

export const watchTree = ({ root, onChange, onLimit, mostFolders = MOST_FOLDERS }: WatchTreeOptions): TreeWatch => {
  const watched = new Map<string, Watched>();
  let limited = false;
  let closed = false;

  const atLimit = (detail: string): void => {
    if (limited) return;
    limited = true;
    onLimit(detail);
  };

  const forget = (path: string): void => {
    for (const [name, { watcher }] of watched) {
      if (name !== path && !name.startsWith(`${path}/`)) continue;
      watcher.close();
      watched.delete(name);
    }
  };

  /** False: not a folder, watched already, or no watch to be had. */
  const watchOne = (path: string): boolean => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    const known = watched.get(path);
    if (known !== undefined && known.inode !== found?.ino) forget(path);
    if (found?.isDirectory() !== true || closed || watched.has(path)) return false;
    if (watched.size >= mostFolders) {
      atLimit(`more than ${String(mostFolders)} folders`);
      return false;
    }
    try {
      const watcher = watch(path, { persistent: false }, (event, name) => {
        onChange();
        // Without a name the kernel's queue ran over: anything may have changed in here.
        if (name === null) scan(path);
        else if (event === 'rename') scan(join(path, name));
      });
      watcher.on('error', () => {
        forget(path);
      });
      watched.set(path, { watcher, inode: found.ino });
      return true;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EMFILE') atLimit(`the system has no more watches: ${code}`);
      return false;
    }
  };

  /** A folder is watched before it is read: what appears in it meanwhile is seen by one or the other. */
  const scan = (path: string): void => {
    const open = [path];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      try {
        if (!watchOne(next)) continue;
        const folder = opendirSync(next, { bufferSize: 256 });
        try {
          for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
            if (entry.isDirectory()) open.push(join(next, entry.name));
          }
        } finally {
          folder.closeSync();
        }
      } catch {
        // Gone again, or not readable: the sweep comes by.
      }
    }
  };

  scan(root);
  return {
    ensure: scan,
    count: () => watched.size,
    close() {
      closed = true;
      for (const { watcher } of watched.values()) watcher.close();
      watched.clear();
    },
  };
};
