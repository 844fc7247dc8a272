/** Stamps and hashes of the files as they were last seen, on the volume: only what differs is read again. */
import { createReadStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** Path → what it was. */
export type StateIndex = ReadonlyMap<string, { readonly stamp: string; readonly sha256: string }>;

const LINES_AT_ONCE = 1_000;

/** Empty when there is none, or none that can be read: then everything is read again. */
export const readIndex = async (path: string): Promise<StateIndex> => {
  const index = new Map<string, { stamp: string; sha256: string }>();
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      const [name, stamp, sha256] = JSON.parse(line) as [string, string, string];
      index.set(name, { stamp, sha256 });
    }
  } catch {
    return new Map();
  }
  return index;
};

/** A cache: a disk that is full, or a kill in the middle, costs a reading of all files and nothing else. Never throws. */
export const writeIndex = async (path: string, index: StateIndex): Promise<void> => {
  try {
    const handle = await open(`${path}.new`, 'w');
    try {
      let lines: string[] = [];
      for (const [name, { stamp, sha256 }] of index) {
        lines.push(`${JSON.stringify([name, stamp, sha256])}\n`);
        if (lines.length < LINES_AT_ONCE) continue;
        await handle.write(lines.join(''));
        lines = [];
      }
      await handle.write(lines.join(''));
    } finally {
      await handle.close();
    }
    await rename(`${path}.new`, path);
  } catch {
    // The old one stays, and says less.
  }
};
