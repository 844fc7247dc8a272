/** The state of a bot in a folder. */
import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { createFolderStateArchives } from '../../src/adapters/embedded/folder-state-archives.ts';
import type { StateArchives } from '../../src/ports/state-archives.ts';
import { stateArchivesContract } from './state-archives-contract.ts';

stateArchivesContract('a folder', async () => {
  const base = await mkdtemp(join(tmpdir(), 'drover-state-'));
  const roots = new Map<StateArchives, string>();
  let count = 0;
  return {
    open: async () => {
      count += 1;
      const root = join(base, String(count));
      await mkdir(root);
      const archives = createFolderStateArchives(root, 'bot');
      roots.set(archives, root);
      return archives;
    },
    writeOutside: async (archives, content) => {
      const folder = join(roots.get(archives) ?? '', 'state');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'edited'), content);
      await rename(join(folder, 'edited'), join(folder, 'state.tar.gz'));
    },
    close: () => rm(base, { recursive: true, force: true }),
  };
});

it('a mount that is not there is an outage, never an empty state', async () => {
  await expect(createFolderStateArchives('/no/such/mount', 'bot').list()).rejects.toMatchObject({
    code: 'ARCHIVE_UNAVAILABLE',
  });
});

it('knows its own archive again after the folder was copied to another disk, and an edit of it too', async () => {
  const base = await mkdtemp(join(tmpdir(), 'drover-state-'));
  try {
    await mkdir(join(base, 'one'));
    const id = { attempt: 1, sequence: 1 };
    const archives = createFolderStateArchives(join(base, 'one'), 'bot');
    await archives.put(id, Readable.from([Buffer.from('content')]));
    await archives.putManifest(id, '{}');
    await archives.promote(id, undefined);
    await cp(join(base, 'one'), join(base, 'two'), { recursive: true });
    const copied = createFolderStateArchives(join(base, 'two'), 'bot');
    expect((await copied.legacy())?.snapshot).toEqual(id);
    await writeFile(join(base, 'two', 'state', 'state.tar.gz'), 'CONTENT');
    expect((await copied.legacy())?.snapshot).toBeUndefined();
  } finally {
    await rm(base, { recursive: true, force: true });
  }
});
