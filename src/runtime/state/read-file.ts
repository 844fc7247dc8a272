/** One file of a state, whole and of one moment; what changes while it is read is read again (fault R36). */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WholeFile {
  readonly content: Buffer;
  /** It did not hold still: the latest of what was read. */
  readonly torn: boolean;
}

const TRIES = 5;
const PAUSE_MS = 20;
// A pipe that took a file's name must not hold us up, and a link must not lead us away.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const GONE: ReadonlySet<unknown> = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'ENOTDIR']);

/** Undefined when it is gone, or is no file any more. At most `maxBytes` of it. @throws as the file system does */
export const readWhole = async (path: string, maxBytes: number): Promise<WholeFile | undefined> => {
  for (let tries = 1; ; tries += 1) {
    try {
      const handle = await open(path, FLAGS);
      try {
        const before = await handle.stat();
        if (!before.isFile() || before.size > maxBytes) return undefined;
        const content = Buffer.allocUnsafe(before.size);
        let done = 0;
        while (done < content.length) {
          const { bytesRead } = await handle.read(content, done, content.length - done, done);
          if (bytesRead === 0) break;
          done += bytesRead;
        }
        const after = await handle.stat();
        const same = done === content.length && after.size === before.size;
        const isStill = same && after.mtimeMs === before.mtimeMs && after.ctimeMs === before.ctimeMs;
        if (isStill || tries === TRIES) return { content: content.subarray(0, done), torn: !isStill };
      } finally {
        await handle.close();
      }
    } catch (thrown) {
      if (GONE.has((thrown as NodeJS.ErrnoException).code)) return undefined;
      throw thrown;
    }
    await sleep(PAUSE_MS);
  }
};
