/** What ends `daemon sync`: SIGTERM, SIGINT, or the done file (contract §6: its mere existence). */
import { existsSync, watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

const POLL_MS = 500;

const watchFolder = (path: string, onChange: () => void): FSWatcher | undefined => {
  try {
    return watch(dirname(path), { persistent: false }, onChange).on('error', () => undefined);
  } catch {
    // The poll alone sees it too.
    return undefined;
  }
};

/** Resolves once. `doneFile` undefined: signals alone. Later signals are ignored: the final sync has a deadline itself. */
export const endOfSync = (doneFile: string | undefined): Promise<void> =>
  new Promise((resolve) => {
    process.on('SIGTERM', () => {
      resolve();
    });
    process.on('SIGINT', () => {
      resolve();
    });
    if (doneFile === undefined) return;
    const check = (): void => {
      if (!existsSync(doneFile)) return;
      clearInterval(poll);
      watcher?.close();
      resolve();
    };
    const poll = setInterval(check, POLL_MS);
    const watcher = watchFolder(doneFile, check);
    check();
  });
