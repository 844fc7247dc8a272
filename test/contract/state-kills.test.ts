/** kill -9 of whoever restores or stores state, in a folder as archive store. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createFolderStateArchives } from '../../src/adapters/embedded/folder-state-archives.ts';
import { surviveKills } from '../support/state-kills.ts';

it(
  'a kill at any moment of a restore or a sync leaves a whole state, and the right one',
  { timeout: 300_000 },
  async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'drover-kills-')), 'store');
    await mkdir(path);
    try {
      const archives = createFolderStateArchives(path, 'bot');
      const broken = await surviveKills({
        rounds: 30,
        access: { kind: 'folder', path },
        botId: 'bot',
        archives,
      });
      // Else nothing was shown.
      expect(broken).toBeGreaterThan(10);
    } finally {
      await rm(path, { recursive: true, force: true });
    }
  },
);
