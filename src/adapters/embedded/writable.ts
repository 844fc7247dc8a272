/** Can anything be written in the data folder? A full disk lets the log be read, and nothing be added to it. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DroverError } from '../../domain/errors.ts';

const FRESH_MS = 2_000;
/** A block of most file systems: an empty file may fit where nothing else does. */
const BYTES = 4_096;

/** Rejects with STORE_UNAVAILABLE and what the system says. Asked often, it writes seldom. */
export const createWritable = (dataDir: string): (() => Promise<void>) => {
  const path = join(dataDir, 'writable.probe');
  let at = -Infinity;
  let last: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    try {
      await writeFile(path, Buffer.alloc(BYTES));
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new DroverError('STORE_UNAVAILABLE', `nothing can be written in ${dataDir}: ${detail}`, { cause });
    } finally {
      await rm(path, { force: true });
    }
  };
  return () => {
    if (performance.now() - at >= FRESH_MS) {
      at = performance.now();
      last = look();
      last.catch(() => undefined);
    }
    return last;
  };
};
