/** Code archives in a folder: `<root>/custom-bots/<filePath>`, readable by the bot's user, replaced as a whole. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { refusePath } from '../../domain/archive-key.ts';
import { DroverError } from '../../domain/errors.ts';
import type { ArchiveStore, OpenArchive } from '../../ports/archive-store.ts';
import { createDigestCache } from '../common/code-digest.ts';
import { errnoOf, findInside, makeInside } from './archive-folder.ts';
import { archiveSteps } from './archive-path.ts';
import { syncFolder } from './sync-folder.ts';

/** Uploads under way; not below the bucket, so no key can name one. */
const INCOMING = '.incoming';

const toArchiveError = (thrown: unknown, filePath: string): DroverError => {
  if (thrown instanceof DroverError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new DroverError('ARCHIVE_UNAVAILABLE', `archive ${filePath}: ${detail}`, { cause: thrown });
};

const writeDurably = async (path: string, content: Readable): Promise<void> => {
  const handle = await open(path, 'wx', 0o644);
  try {
    await handle.chmod(0o644);
    await writeFile(handle, content);
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const moveInto = async (temporary: string, folder: string, name: string, filePath: string): Promise<void> => {
  try {
    await rename(temporary, join(folder, name));
  } catch (thrown) {
    if (errnoOf(thrown) === 'EISDIR' || errnoOf(thrown) === 'ENOTDIR') {
      throw refusePath(filePath, 'a file or a folder is in its way');
    }
    throw thrown;
  }
  await syncFolder(folder);
};

/** Removes what uploads left that were cut off. Only for the one process that holds the data folder. */
export const clearIncoming = (root: string): Promise<void> =>
  rm(join(root, INCOMING), { recursive: true, force: true });

/** Makes the folder (0755) when it is not there. @throws DroverError ARCHIVE_UNAVAILABLE when it cannot be made */
export const createFolderArchiveStore = async (root: string): Promise<ArchiveStore> => {
  try {
    await mkdir(root, { recursive: true, mode: 0o755 });
  } catch (thrown) {
    throw toArchiveError(thrown, root);
  }
  const digests = createDigestCache();

  const openCode = async (filePath: string): Promise<OpenArchive | undefined> => {
    try {
      const path = await findInside(root, archiveSteps(filePath), filePath);
      if (path === undefined) return undefined;
      const handle = await open(path, 'r');
      const entry = await handle.stat();
      if (!entry.isFile()) {
        await handle.close();
        return undefined;
      }
      return { size: entry.size, content: handle.createReadStream() };
    } catch (thrown) {
      if (errnoOf(thrown) === 'ENOENT') return undefined;
      throw toArchiveError(thrown, filePath);
    }
  };

  return {
    sizeOfCode: async (filePath) => {
      try {
        const path = await findInside(root, archiveSteps(filePath), filePath);
        if (path === undefined) return undefined;
        const entry = await stat(path);
        return entry.isFile() ? entry.size : undefined;
      } catch (thrown) {
        if (errnoOf(thrown) === 'ENOENT') return undefined;
        throw toArchiveError(thrown, filePath);
      }
    },
    openCode,
    digestOfCode: async (filePath) => {
      try {
        const path = await findInside(root, archiveSteps(filePath), filePath);
        if (path === undefined) return undefined;
        const { size, mtimeMs, ctimeMs, ino } = await stat(path);
        const version = [size, mtimeMs, ctimeMs, ino].join('/');
        return await digests.of(filePath, version, () => openCode(filePath));
      } catch (thrown) {
        if (errnoOf(thrown) === 'ENOENT') return undefined;
        throw toArchiveError(thrown, filePath);
      }
    },
    putCode: async (filePath, content) => {
      let temporary: string | undefined;
      try {
        const steps = archiveSteps(filePath);
        const folder = await makeInside(root, steps.slice(0, -1), filePath);
        await mkdir(join(root, INCOMING), { recursive: true });
        temporary = join(root, INCOMING, randomUUID());
        await writeDurably(temporary, content);
        await moveInto(temporary, folder, steps.at(-1) ?? '', filePath);
      } catch (thrown) {
        content.destroy();
        if (temporary !== undefined) await rm(temporary, { force: true });
        throw toArchiveError(thrown, filePath);
      }
    },
    ping: async () => {
      await stat(root).catch((thrown: unknown) => {
        throw toArchiveError(thrown, root);
      });
    },
  };
};
